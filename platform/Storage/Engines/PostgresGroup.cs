using Npgsql;
using NpgsqlTypes;

namespace Althing.Storage.Engines;

/// <summary>
/// Commits a group of batches as one transaction: locks what they touch, reads the versions, decides in memory, writes the outcome. The
/// locks are advisory and striped by key, taken in ascending order, so that writers in several processes neither slip between another's
/// conditions and writes nor wait for each other in a circle, and a big group cannot fill the server's lock table.
/// </summary>
sealed class PostgresGroup(NpgsqlConnection connection)
{
    const int Stripes = 256;

    /// <summary>The namespace of our advisory locks. Any fixed number serves.</summary>
    const int LockClass = 0x616c74;

    const string Lock = "SELECT pg_advisory_xact_lock(@c, s) FROM unnest(@s) AS s";

    const string Versions = """
        SELECT r.tbl, r.account, r.key, r.version FROM unnest(@t, @a, @k) AS w(tbl, account, key)
        JOIN rows r ON r.tbl = w.tbl AND r.account = w.account AND r.key = w.key
        """;

    const string DeleteEntries =
        "DELETE FROM entries e USING unnest(@t, @a, @k) AS w(tbl, account, key) WHERE e.tbl = w.tbl AND e.account = w.account AND e.key = w.key";

    const string DeleteRows =
        "DELETE FROM rows r USING unnest(@t, @a, @k) AS w(tbl, account, key) WHERE r.tbl = w.tbl AND r.account = w.account AND r.key = w.key";

    const string PutRows = """
        INSERT INTO rows(tbl, account, key, version, value) SELECT t, a, k, n, v::json FROM unnest(@t, @a, @k, @n, @v) AS w(t, a, k, n, v)
        ON CONFLICT(tbl, account, key) DO UPDATE SET version = excluded.version, value = excluded.value
        """;

    const string PutEntries =
        "INSERT INTO entries(tbl, idx, account, value, key) SELECT t, i, a, v, k FROM unnest(@t, @i, @a, @v, @k) AS w(t, i, a, v, k)";

    readonly record struct Place(string Table, string Account, string Key);

    readonly Dictionary<Place, long> versions = [];

    /// <summary>The last step that wrote each place; what comes to stand there.</summary>
    readonly Dictionary<Place, BatchStep> written = [];

    /// <summary>Answers for each batch null or its conflict. When it throws, nothing of the group is written.</summary>
    public async Task<StorageConflictException?[]> Commit(List<PostgresWaiting> group)
    {
        var places = group.SelectMany(w => w.Batch.Steps, (_, step) => PlaceOf(step)).Distinct().ToArray();
        await using var transaction = await connection.BeginTransactionAsync();
        await ReadVersions(places);
        var outcomes = group.Select(waiting => Apply(waiting.Batch)).ToArray();
        if (written.Count > 0)
            await Write();
        await transaction.CommitAsync();
        return outcomes;
    }

    async Task ReadVersions(Place[] places)
    {
        var stripes = places.Select(StripeOf).Distinct().Order().ToArray();
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new(Lock) { Parameters = { new("@c", LockClass), new("@s", stripes) } });
        batch.BatchCommands.Add(Over(Versions, places));
        await using var reader = await batch.ExecuteReaderAsync();
        await reader.NextResultAsync();
        while (await reader.ReadAsync())
            versions[new(reader.GetString(0), reader.GetString(1), reader.GetString(2))] = reader.GetInt64(3);
    }

    StorageConflictException? Apply(Batch batch)
    {
        foreach (var step in batch.Steps)
        {
            if (step.ExpectedVersion is { } expected && versions.GetValueOrDefault(PlaceOf(step)) != expected)
                return new(step.Table.Name, step.Key);
        }
        foreach (var step in batch.Steps.Where(s => s.Verb != BatchVerb.Require))
        {
            var place = PlaceOf(step);
            versions[place] = step.Verb == BatchVerb.Put ? versions.GetValueOrDefault(place) + 1 : 0;
            written[place] = step;
        }
        return null;
    }

    async Task Write()
    {
        var puts = written.Where(w => w.Value.Verb == BatchVerb.Put).ToArray();
        Place[] put = [.. puts.Select(p => p.Key)], deleted = [.. written.Where(w => w.Value.Verb == BatchVerb.Delete).Select(w => w.Key)];
        await using var batch = new NpgsqlBatch(connection);
        var indexed = written.Where(w => w.Value.Table.IndexNames.Count > 0).Select(w => w.Key).ToArray();
        if (indexed.Length > 0)
            batch.BatchCommands.Add(Over(DeleteEntries, indexed));
        if (deleted.Length > 0)
            batch.BatchCommands.Add(Over(DeleteRows, deleted));
        if (put.Length > 0)
        {
            var command = Over(PutRows, put);
            command.Parameters.Add(new("@n", put.Select(p => versions[p]).ToArray()));
            command.Parameters.Add(new("@v", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = puts.Select(p => System.Text.Encoding.UTF8.GetString(p.Value.Json!)).ToArray() });
            batch.BatchCommands.Add(command);
        }
        var entries = (from p in puts from e in p.Value.IndexEntries select (p.Key, e.Index, e.Value)).Distinct().ToArray();
        if (entries.Length > 0)
        {
            var command = Over(PutEntries, [.. entries.Select(e => e.Key)]);
            command.Parameters.Add(new("@i", entries.Select(e => e.Index).ToArray()));
            command.Parameters.Add(new("@v", entries.Select(e => e.Value).ToArray()));
            batch.BatchCommands.Add(command);
        }
        await batch.ExecuteNonQueryAsync();
    }

    static Place PlaceOf(BatchStep step) => new(step.Table.Name, step.Account.Value, step.Key);

    /// <summary>The same in every process and version: FNV-1a, since the runtime's own hash differs between processes.</summary>
    static int StripeOf(Place place)
    {
        var hash = 2166136261;
        foreach (var text in (ReadOnlySpan<string>)[place.Table, place.Account, place.Key])
        {
            foreach (var c in text)
                hash = (hash ^ c) * 16777619;
        }
        return (int)(hash % Stripes);
    }

    static NpgsqlBatchCommand Over(string sql, Place[] places) => new(sql)
    {
        Parameters =
        {
            new("@t", places.Select(p => p.Table).ToArray()),
            new("@a", places.Select(p => p.Account).ToArray()),
            new("@k", places.Select(p => p.Key).ToArray()),
        },
    };
}
