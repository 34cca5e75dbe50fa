using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Npgsql;

namespace Althing.Storage.Engines;

/// <summary>A journal in PostgreSQL: what waits is inserted as one statement in one transaction. Several processes may append.</summary>
sealed class PostgresJournal : IJournal
{
    const int GatherBytesMax = 4 << 20;
    const int GatherRecordsMax = 8192;
    const int QueueMax = 65_536;
    const int PageRecords = 1000;

    // The row of the journal is locked until the commit, so positions become visible in their order.
    const string Insert = """
        WITH place AS (UPDATE journals SET next = next + cardinality(@r) WHERE name = @j RETURNING next - cardinality(@r) AS first)
        INSERT INTO records(journal, position, record) SELECT @j, first + o - 1, r FROM place, unnest(@r) WITH ORDINALITY AS w(r, o)
        RETURNING position
        """;

    readonly PostgresDatabase database;
    readonly string name;
    readonly Channel<Waiting> queue = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(QueueMax) { SingleReader = true });
    readonly Task writer;

    readonly record struct Waiting(ReadOnlyMemory<byte> Record, TaskCompletionSource<long> Done);

    public PostgresJournal(PostgresDatabase database, string name)
    {
        this.database = database;
        this.name = name;
        using (var command = database.Source.CreateCommand("INSERT INTO journals(name, next) VALUES(@j, 0) ON CONFLICT DO NOTHING"))
        {
            command.Parameters.AddWithValue("@j", name);
            command.ExecuteNonQuery();
        }
        writer = Task.Run(Write);
    }

    public async ValueTask<long> Append(ReadOnlyMemory<byte> record, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(record.Length, FileJournal.RecordBytesMax);
        var done = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        await queue.Writer.WriteAsync(new(record, done), cancel);
        return await done.Task;
    }

    public async IAsyncEnumerable<(long Position, ReadOnlyMemory<byte> Record)> Replay(long from, [EnumeratorCancellation] CancellationToken cancel)
    {
        while (true)
        {
            List<(long, ReadOnlyMemory<byte>)> page = [];
            await using (var command = database.Source.CreateCommand(
                "SELECT position, record FROM records WHERE journal = @j AND position >= @p ORDER BY position LIMIT @n"))
            {
                command.Parameters.AddWithValue("@j", name);
                command.Parameters.AddWithValue("@p", from);
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
        List<Waiting> group = [];
        NpgsqlConnection? connection = null;
        while (await queue.Reader.WaitToReadAsync())
        {
            group.Clear();
            for (var bytes = 0L; bytes < GatherBytesMax && group.Count < GatherRecordsMax && queue.Reader.TryRead(out var waiting); bytes += waiting.Record.Length)
                group.Add(waiting);
            try
            {
                connection ??= await database.OpenWriter(CancellationToken.None);
                var first = await Commit(connection, group);
                foreach (var waiting in group)
                    waiting.Done.SetResult(first++);
            }
            catch (Exception failure) when (failure is NpgsqlException or IOException or TimeoutException or InvalidOperationException or ArgumentException)
            {
                if (connection is not null)
                    await connection.DisposeAsync();
                connection = null;
                foreach (var waiting in group)
                    waiting.Done.TrySetException(new StorageException($"The journal '{name}' could not write to PostgreSQL: {failure.Message}", failure));
            }
        }
        if (connection is not null)
            await connection.DisposeAsync();
    }

    async Task<long> Commit(NpgsqlConnection connection, List<Waiting> group)
    {
        await using var command = new NpgsqlCommand(Insert, connection);
        command.Parameters.AddWithValue("@j", name);
        command.Parameters.AddWithValue("@r", group.Select(w => w.Record.ToArray()).ToArray());
        var first = long.MaxValue;
        var inserted = 0;
        await using var reader = await command.ExecuteReaderAsync();
        for (; await reader.ReadAsync(); inserted++)
            first = Math.Min(first, reader.GetInt64(0));
        return inserted == group.Count ? first : throw new InvalidOperationException("the journal's row is missing from the table 'journals'.");
    }

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await writer;
    }
}
