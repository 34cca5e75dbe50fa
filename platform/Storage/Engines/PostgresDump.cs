using System.Data;
using Npgsql;

namespace Althing.Storage.Engines;

/// <summary>The tables of a PostgreSQL schema as files, by COPY in its binary form, which any supported version of the server reads.</summary>
static class PostgresDump
{
    public const string Prefix = "postgresql/";

    /// <summary>Table and columns, named because a restored schema may order them otherwise.</summary>
    static readonly (string Table, string Columns)[] Tables =
    [
        ("rows", "tbl, account, key, version, value"),
        ("entries", "tbl, idx, account, value, key"),
        ("journals", "name, next"),
        ("records", "journal, position, record"),
    ];

    /// <summary>Adds all tables as of one moment.</summary>
    /// <returns>The version of the schema.</returns>
    public static async Task<int> Write(string connectionString, Func<BackupFile, Stream, Task> add, CancellationToken cancel)
    {
        using var database = new PostgresDatabase(connectionString);
        await using var connection = await database.Source.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancel);
        foreach (var (table, columns) in Tables)
        {
            await using var content = await connection.BeginRawBinaryCopyAsync($"COPY {table}({columns}) TO STDOUT (FORMAT BINARY)", cancel);
            await add(new($"{Prefix}{table}", 0, "", 0), content);
        }
        await transaction.CommitAsync(cancel);
        return PostgresDatabase.VersionCurrent;
    }

    /// <summary>Fills an empty schema in one transaction and brings it forward to this program's version.</summary>
    public static async Task Restore(string connectionString, BackupManifest manifest, Func<BackupFile, Stream, Task> copyChecked, CancellationToken cancel)
    {
        var version = manifest.PostgreSqlVersion!.Value;
        if (version > PostgresDatabase.VersionCurrent)
            throw new StorageVersionException(version, PostgresDatabase.VersionCurrent);
        using (var database = new PostgresDatabase(connectionString, version))
        {
            await using var connection = await database.OpenWriter(cancel);
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            foreach (var (table, columns) in Tables)
            {
                await RefuseUnlessEmpty(connection, table, cancel);
                var item = manifest.Files.FirstOrDefault(f => f.Name == Prefix + table) ?? throw new InvalidDataException($"the table '{table}' is missing.");
                await Fill(connection, $"COPY {table}({columns}) FROM STDIN (FORMAT BINARY)", item, copyChecked, cancel);
            }
            await transaction.CommitAsync(cancel);
        }
        using var forward = new PostgresDatabase(connectionString);
    }

    static async Task Fill(NpgsqlConnection connection, string copy, BackupFile item, Func<BackupFile, Stream, Task> copyChecked, CancellationToken cancel)
    {
        await using var target = await connection.BeginRawBinaryCopyAsync(copy, cancel);
        try
        {
            await copyChecked(item, target);
        }
        catch
        {
            await target.CancelAsync();
            throw;
        }
    }

    static async Task RefuseUnlessEmpty(NpgsqlConnection connection, string table, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand($"SELECT EXISTS(SELECT 1 FROM {table})", connection);
        if ((bool)(await command.ExecuteScalarAsync(cancel))!)
            throw new BackupException($"The table '{table}' in PostgreSQL is not empty. A backup is restored to an empty schema only: name another one with 'Search Path' in the connection string.");
    }
}
