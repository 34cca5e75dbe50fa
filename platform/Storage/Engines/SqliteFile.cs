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
        connectionString = new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 30 }.ToString();
        if (!OperatingSystem.IsWindows() && !File.Exists(path))
        {
            // SQLite would make it with the process's default rights; what it makes beside it takes those of this file.
            const UnixFileMode mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using var made = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mine });
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

    /// <summary>A consistent copy of the database, taken while it is in use.</summary>
    public void CopyTo(string path)
    {
        using var lease = Rent();
        using var copy = new SqliteSession(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        lease.Session.BackupTo(copy);
    }

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
