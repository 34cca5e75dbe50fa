using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Althing.Storage.Engines;

/// <summary>A SQLite database file: its settings, its schema, and its pool of reading connections.</summary>
sealed class SqliteFile : IDisposable
{
    readonly string connectionString;
    readonly ConcurrentBag<SqliteSession> idle = [];
    volatile bool disposed;

    public SqliteFile(string path)
    {
        Path = path;
        connectionString = At(path);
        if (!File.Exists(path))
        {
            // SQLite would make it with the process's default rights; what it makes beside it takes those of this file.
            PrivateFiles.Create(path).Dispose();
        }
        using var first = OpenWriter();
        Migrations.Run(first);
    }

    public string Path { get; }

    /// <summary>A session that writes: FULL, because NORMAL may lose what was acknowledged when the machine stops.</summary>
    public SqliteSession OpenWriter()
    {
        var session = new SqliteSession(connectionString);
        session.Execute("PRAGMA journal_mode=WAL");
        session.Execute("PRAGMA synchronous=FULL");
        session.Execute("PRAGMA wal_autocheckpoint=4000");
        session.Execute("PRAGMA cache_size=-32000");
        return session;
    }

    /// <summary>A reading session; disposing the lease gives it back.</summary>
    public Lease Rent()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (!idle.TryTake(out var session))
        {
            session = new(connectionString);
            session.Execute("PRAGMA query_only=1");
            session.Execute("PRAGMA cache_size=-8000");
        }
        return new(this, session);
    }

    /// <summary>Copies a database as of one moment, whoever uses it meanwhile, this process or another.</summary>
    /// <returns>The version of its schema.</returns>
    public static int Copy(string from, string to)
    {
        using var source = new SqliteSession(At(from));
        using var copy = new SqliteSession(At(to));
        source.BackupTo(copy);
        // So that nothing of it stays beside it; the first opening sets it again.
        copy.Execute("PRAGMA journal_mode=DELETE");
        return (int)(copy.QueryNumber("PRAGMA user_version") ?? 0);
    }

    static string At(string path) =>
        new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite, Pooling = false, DefaultTimeout = 30 }.ToString();

    public void Dispose()
    {
        disposed = true;
        while (idle.TryTake(out var session))
            session.Dispose();
    }

    public readonly struct Lease(SqliteFile file, SqliteSession session) : IDisposable
    {
        public SqliteSession Session => session;

        public SqliteDataReader Query(string sql, params ReadOnlySpan<(string Name, object Value)> parameters) => session.Query(sql, parameters);

        public void Dispose()
        {
            if (file.disposed)
                session.Dispose();
            else
                file.idle.Add(session);
        }
    }
}
