using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Npgsql;

namespace Althing.Storage.Engines;

/// <summary>A journal in PostgreSQL: what waits is inserted as one statement in one transaction. Several processes may append.</summary>
sealed class PostgresJournal : IJournal
{
    const int GatherBytesMax = 4 << 20;
    const int GatherRecordsMax = 8192;
    const int PageRecords = 1000;

    // The row of the journal is locked until the commit, so positions become visible in their order.
    const string Insert = """
        WITH place AS (UPDATE journals SET next = next + cardinality(@r) WHERE name = @j RETURNING next - cardinality(@r) AS first)
        INSERT INTO records(journal, position, record) SELECT @j, first + o - 1, r FROM place, unnest(@r) WITH ORDINALITY AS w(r, o)
        RETURNING position
        """;

    // Who changes the fence's row waits until this is committed, and what comes after finds another version there.
    const string FencedInsert = """
        WITH fence AS (SELECT key FROM rows WHERE tbl = @ft AND account = @fa AND key = @fk AND version = @fv FOR SHARE),
        place AS (UPDATE journals SET next = next + cardinality(@r) FROM fence WHERE name = @j RETURNING next - cardinality(@r) AS first)
        INSERT INTO records(journal, position, record) SELECT @j, first + o - 1, r FROM place, unnest(@r) WITH ORDINALITY AS w(r, o)
        RETURNING position
        """;

    readonly PostgresDatabase database;
    readonly string name;
    readonly JournalFence? fence;
    readonly Lock adding = new();
    readonly Channel<Gathered> gathered = Channel.CreateUnbounded<Gathered>(new() { SingleReader = true });
    readonly Task writer;
    Gathered? open;

    /// <summary>A group while it is filled.</summary>
    sealed class Gathered
    {
        public JournalGroup Group { get; } = new();
        public List<byte[]> Records { get; } = [];
        public long Bytes { get; set; }
        public bool IsFull => Bytes >= GatherBytesMax || Records.Count >= GatherRecordsMax;
    }

    public PostgresJournal(PostgresDatabase database, string name, JournalFence? fence)
    {
        this.database = database;
        this.name = name;
        this.fence = fence;
        using (var command = database.Source.CreateCommand("INSERT INTO journals(name, next) VALUES(@j, 0) ON CONFLICT DO NOTHING"))
        {
            command.Parameters.AddWithValue("@j", name);
            command.ExecuteNonQuery();
        }
        writer = Task.Run(Write);
    }

    public JournalEntry Add(ReadOnlySpan<byte> record)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(record.Length, FileJournal.RecordBytesMax);
        var copy = record.ToArray();
        lock (adding)
        {
            if (open is null || open.IsFull)
            {
                var begun = new Gathered();
                ObjectDisposedException.ThrowIf(!gathered.Writer.TryWrite(begun), this);
                open = begun;
            }
            open.Records.Add(copy);
            open.Bytes += copy.Length;
            return new(open.Group, open.Records.Count - 1);
        }
    }

    public async ValueTask<long> End(CancellationToken cancel)
    {
        await using var command = database.Source.CreateCommand("SELECT next FROM journals WHERE name = @j");
        command.Parameters.AddWithValue("@j", name);
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    public async ValueTask Read(IReadOnlyList<long> positions, Action<int, ReadOnlyMemory<byte>> take, CancellationToken cancel)
    {
        await using var command = database.Source.CreateCommand(
            "SELECT position, record FROM records WHERE journal = @j AND position = ANY(@p) ORDER BY position");
        command.Parameters.AddWithValue("@j", name);
        command.Parameters.AddWithValue("@p", positions.ToArray());
        await using var reader = await command.ExecuteReaderAsync(cancel);
        for (var index = 0; await reader.ReadAsync(cancel);)
        {
            var position = reader.GetInt64(0);
            while (positions[index] < position)
                index++;
            var record = reader.GetFieldValue<byte[]>(1);
            for (; index < positions.Count && positions[index] == position; index++)
                take(index, record);
        }
    }

    public async IAsyncEnumerable<(long Position, ReadOnlyMemory<byte> Record)> Replay(long from, long to, [EnumeratorCancellation] CancellationToken cancel)
    {
        while (true)
        {
            List<(long, ReadOnlyMemory<byte>)> page = [];
            await using (var command = database.Source.CreateCommand(
                "SELECT position, record FROM records WHERE journal = @j AND position >= @p AND position < @t ORDER BY position LIMIT @n"))
            {
                command.Parameters.AddWithValue("@j", name);
                command.Parameters.AddWithValue("@p", from);
                command.Parameters.AddWithValue("@t", to);
                command.Parameters.AddWithValue("@n", PageRecords);
                await using var reader = await command.ExecuteReaderAsync(cancel);
                while (await reader.ReadAsync(cancel))
                    page.Add((reader.GetInt64(0), reader.GetFieldValue<byte[]>(1)));
            }
            foreach (var record in page)
                yield return record;
            if (page.Count < PageRecords)
                yield break;
            from = page[^1].Item1 + 1;
        }
    }

    public async ValueTask Trim(long before, CancellationToken cancel)
    {
        await using var command = database.Source.CreateCommand("DELETE FROM records WHERE journal = @j AND position < @p");
        command.Parameters.AddWithValue("@j", name);
        command.Parameters.AddWithValue("@p", before);
        await command.ExecuteNonQueryAsync(cancel);
    }

    async Task Write()
    {
        NpgsqlConnection? connection = null;
        await foreach (var next in gathered.Reader.ReadAllAsync())
        {
            lock (adding)
            {
                if (open == next)
                    open = null;
            }
            try
            {
                connection ??= await database.OpenWriter(CancellationToken.None);
                next.Group.Complete(await Commit(connection, next.Records));
            }
            catch (Exception failure) when (failure is NpgsqlException or IOException or TimeoutException or InvalidOperationException or ArgumentException)
            {
                if (connection is not null)
                    await connection.DisposeAsync();
                connection = null;
                next.Group.Fail(new($"The journal '{name}' could not write to PostgreSQL: {failure.Message}", failure));
            }
        }
        if (connection is not null)
            await connection.DisposeAsync();
    }

    async Task<long> Commit(NpgsqlConnection connection, List<byte[]> group)
    {
        await using var command = new NpgsqlCommand(fence is null ? Insert : FencedInsert, connection);
        command.Parameters.AddWithValue("@j", name);
        command.Parameters.AddWithValue("@r", group.ToArray());
        if (fence is not null)
        {
            command.Parameters.AddWithValue("@ft", fence.Table.Name);
            command.Parameters.AddWithValue("@fa", fence.Account.Value);
            command.Parameters.AddWithValue("@fk", fence.Key);
            command.Parameters.AddWithValue("@fv", fence.Version);
        }
        var first = long.MaxValue;
        var inserted = 0;
        await using var reader = await command.ExecuteReaderAsync();
        for (; await reader.ReadAsync(); inserted++)
            first = Math.Min(first, reader.GetInt64(0));
        if (inserted == group.Count)
            return first;
        throw new InvalidOperationException(fence is null
            ? "the journal's row is missing from the table 'journals'."
            : $"the row '{fence.Key}' of '{fence.Table.Name}' has changed, so that another process has this journal now.");
    }

    public async ValueTask DisposeAsync()
    {
        gathered.Writer.TryComplete();
        await writer;
    }
}
