using Npgsql;

namespace Althing.Storage.Engines;

/// <summary>A PostgreSQL schema: its connections, its tables, and the steps that bring an older one forward.</summary>
sealed class PostgresDatabase : IDisposable
{
    const string SchemaDefault = "althing";

    /// <summary>Keeps two processes from making or migrating the schema at once. Any fixed number serves.</summary>
    const long MigrationLock = 0x616c7468;

    // json and not jsonb: jsonb refuses U+0000, which a string of a user may contain, and would not give back what was written.
    static readonly IReadOnlyList<string> Steps =
    [
        """
        CREATE TABLE rows(tbl text COLLATE "C" NOT NULL, account text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL,
            version bigint NOT NULL, value json NOT NULL, PRIMARY KEY(tbl, account, key));
        CREATE TABLE entries(tbl text COLLATE "C" NOT NULL, idx text COLLATE "C" NOT NULL, account text COLLATE "C" NOT NULL,
            value text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, PRIMARY KEY(tbl, idx, account, value, key));
        CREATE INDEX entries_of ON entries(tbl, account, key);
        CREATE TABLE journals(name text COLLATE "C" PRIMARY KEY, next bigint NOT NULL);
        CREATE TABLE records(journal text COLLATE "C" NOT NULL, position bigint NOT NULL, record bytea NOT NULL, PRIMARY KEY(journal, position));
        """,
    ];

    readonly string schema;

    public static int VersionCurrent => Steps.Count;

    /// <param name="version">Not further than this, for filling a schema of an older version before it is brought forward.</param>
    /// <exception cref="StorageVersionException">The schema is newer.</exception>
    public PostgresDatabase(string connectionString, int? version = null)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        schema = settings.SearchPath ??= SchemaDefault;
        settings.MaxAutoPrepare = 200;
        settings.AutoPrepareMinUsages = 2;
        settings.ApplicationName ??= "althing";
        Source = NpgsqlDataSource.Create(settings);
        try
        {
            Migrate(version ?? VersionCurrent);
        }
        catch (Exception failure)
        {
            Source.Dispose();
            if (failure is NpgsqlException)
                throw new StorageException($"PostgreSQL at {settings.Host}:{settings.Port} (database '{settings.Database}', schema '{schema}') could not be used: {failure.Message}", failure);
            throw;
        }
    }

    public NpgsqlDataSource Source { get; }

    /// <summary>A connection whose commits are on disk when they return, even where the server's default is otherwise.</summary>
    public async ValueTask<NpgsqlConnection> OpenWriter(CancellationToken cancel)
    {
        var connection = await Source.OpenConnectionAsync(cancel);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";
        await command.ExecuteNonQueryAsync(cancel);
        return connection;
    }

    void Migrate(int target)
    {
        using var connection = Source.OpenConnection();
        using var transaction = connection.BeginTransaction();
        Execute($"SELECT pg_advisory_xact_lock({MigrationLock})");
        Execute($"CREATE SCHEMA IF NOT EXISTS {new NpgsqlCommandBuilder().QuoteIdentifier(schema)}");
        Execute("CREATE TABLE IF NOT EXISTS schema_version(version int NOT NULL)");
        var version = Execute("SELECT version FROM schema_version") as int? ?? 0;
        if (version > target)
            throw new StorageVersionException(version, target);
        if (version < target)
        {
            foreach (var step in Steps.Skip(version).Take(target - version))
                Execute(step);
            Execute("DELETE FROM schema_version");
            Execute($"INSERT INTO schema_version VALUES({target})");
        }
        transaction.Commit();

        object? Execute(string sql)
        {
            using var command = new NpgsqlCommand(sql, connection, transaction);
            return command.ExecuteScalar();
        }
    }

    public void Dispose() => Source.Dispose();
}
