using Microsoft.Data.Sqlite;

namespace Althing.Storage.Engines;

/// <summary>One connection with its prepared statements. Used by one thread at a time.</summary>
sealed class SqliteSession : IDisposable
{
    readonly SqliteConnection connection;
    readonly Dictionary<string, SqliteCommand> prepared = new(StringComparer.Ordinal);

    public SqliteSession(string connectionString)
    {
        connection = new(connectionString);
        connection.Open();
    }

    public void Execute(string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public SqliteDataReader Query(string sql, params ReadOnlySpan<(string Name, object Value)> parameters) =>
        Prepare(sql, parameters).ExecuteReader();

    public long? QueryNumber(string sql, params ReadOnlySpan<(string Name, object Value)> parameters) =>
        Prepare(sql, parameters).ExecuteScalar() is long number ? number : null;

    public void TryRollback()
    {
        try
        {
            Execute("ROLLBACK");
        }
        catch (SqliteException)
        {
            // SQLite has rolled back by itself already.
        }
    }

    /// <summary>The version of the step's row, 0 when there is none.</summary>
    public long VersionOf(BatchStep step) =>
        QueryNumber("SELECT version FROM rows WHERE tbl=@t AND account=@a AND key=@k",
            ("@t", step.Table.Name), ("@a", step.Account.Value), ("@k", step.Key)) ?? 0;

    public void Put(BatchStep step)
    {
        Change("""
            INSERT INTO rows(tbl, account, key, version, value) VALUES(@t, @a, @k, 1, @v)
            ON CONFLICT(tbl, account, key) DO UPDATE SET version = version + 1, value = excluded.value
            """, ("@t", step.Table.Name), ("@a", step.Account.Value), ("@k", step.Key), ("@v", step.Json!));
        if (step.Table.IndexNames.Count == 0)
            return;
        DeleteEntries(step);
        foreach (var (index, value) in step.IndexEntries)
        {
            Change("INSERT OR IGNORE INTO entries(tbl, idx, account, value, key) VALUES(@t, @i, @a, @v, @k)",
                ("@t", step.Table.Name), ("@i", index), ("@a", step.Account.Value), ("@v", value), ("@k", step.Key));
        }
    }

    public void Delete(BatchStep step)
    {
        Change("DELETE FROM rows WHERE tbl=@t AND account=@a AND key=@k",
            ("@t", step.Table.Name), ("@a", step.Account.Value), ("@k", step.Key));
        if (step.Table.IndexNames.Count > 0)
            DeleteEntries(step);
    }

    public void BackupTo(SqliteSession target) => connection.BackupDatabase(target.connection);

    void DeleteEntries(BatchStep step) =>
        Change("DELETE FROM entries WHERE tbl=@t AND account=@a AND key=@k",
            ("@t", step.Table.Name), ("@a", step.Account.Value), ("@k", step.Key));

    void Change(string sql, params ReadOnlySpan<(string Name, object Value)> parameters) => Prepare(sql, parameters).ExecuteNonQuery();

    SqliteCommand Prepare(string sql, ReadOnlySpan<(string Name, object Value)> parameters)
    {
        if (!prepared.TryGetValue(sql, out var command))
        {
            command = connection.CreateCommand();
            command.CommandText = sql;
            foreach (var (name, value) in parameters)
                command.Parameters.AddWithValue(name, value);
            command.Prepare();
            prepared.Add(sql, command);
            return command;
        }
        for (var i = 0; i < parameters.Length; i++)
            command.Parameters[i].Value = parameters[i].Value;
        return command;
    }

    public void Dispose()
    {
        foreach (var command in prepared.Values)
            command.Dispose();
        connection.Dispose();
    }
}
