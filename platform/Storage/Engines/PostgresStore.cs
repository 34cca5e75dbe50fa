using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Npgsql;

namespace Althing.Storage.Engines;

/// <summary>
/// The store in PostgreSQL. As in the embedded one, a writer commits whatever waits as one transaction; here it costs a few round trips
/// whatever the number of batches. Several processes may write: see <see cref="PostgresGroup"/>.
/// </summary>
sealed class PostgresStore(PostgresDatabase database) : IStore
{
    const int GroupMax = 512;
    const int QueueMax = 4096;
    const int PageRows = 1000;

    readonly Channel<PostgresWaiting> queue = Channel.CreateBounded<PostgresWaiting>(new BoundedChannelOptions(QueueMax) { SingleReader = true });
    readonly Lock starting = new();
    Task? writer;

    public async ValueTask<Row<T>?> Get<T>(Table<T> table, AccountId account, string key, CancellationToken cancel) where T : class
    {
        if (!StoreSql.CanHold(key))
            return null;
        await using var command = Command(StoreSql.Get, [("@t", table.Name), ("@a", account.Value), ("@k", key)]);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        return await rows.ReadAsync(cancel) ? ReadRow<T>(account, rows, key) : null;
    }

    public async ValueTask<IReadOnlyList<Row<T>>> Scan<T>(Table<T> table, AccountId account, Scan scan, CancellationToken cancel) where T : class
    {
        if (HoldsNothing(scan))
            return [];
        var (sql, parameters) = StoreSql.Scan(table, account, scan, count: false);
        await using var command = Command(sql, parameters);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        List<Row<T>> found = [];
        while (await rows.ReadAsync(cancel))
            found.Add(ReadRow<T>(account, rows, scan.Index is null ? rows.GetString(0) : StoreSql.Cursor(rows.GetString(3), rows.GetString(0))));
        return found;
    }

    public async ValueTask<long> Count<T>(Table<T> table, AccountId account, Scan scan, CancellationToken cancel) where T : class
    {
        if (HoldsNothing(scan))
            return 0;
        var (sql, parameters) = StoreSql.Scan(table, account, scan, count: true);
        await using var command = Command(sql, parameters);
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    public async IAsyncEnumerable<Row<T>> ScanAll<T>(Table<T> table, [EnumeratorCancellation] CancellationToken cancel) where T : class
    {
        var (account, key) = ("", "");
        while (true)
        {
            List<Row<T>> page = [];
            await using (var command = Command(StoreSql.All, [("@t", table.Name), ("@a", account), ("@k", key), ("@n", PageRows)]))
            {
                await using var rows = await command.ExecuteReaderAsync(cancel);
                while (await rows.ReadAsync(cancel))
                    page.Add(ReadRow<T>(AccountId.FromStorage(rows.GetString(3)), rows, rows.GetString(0)));
            }
            foreach (var row in page)
                yield return row;
            if (page.Count < PageRows)
                yield break;
            (account, key) = (page[^1].Account.Value, page[^1].Key);
        }
    }

    public async ValueTask Commit(Batch batch, CancellationToken cancel)
    {
        if (batch.Steps.Count == 0)
            return;
        EnsureWriter();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await queue.Writer.WriteAsync(new(batch, done), cancel);
        await done.Task;
    }

    void EnsureWriter()
    {
        lock (starting)
            writer ??= Task.Run(Write);
    }

    async Task Write()
    {
        List<PostgresWaiting> group = [];
        NpgsqlConnection? connection = null;
        while (await queue.Reader.WaitToReadAsync())
        {
            group.Clear();
            while (group.Count < GroupMax && queue.Reader.TryRead(out var waiting))
                group.Add(waiting);
            try
            {
                connection ??= await database.OpenWriter(CancellationToken.None);
                var outcomes = await new PostgresGroup(connection).Commit(group);
                for (var i = 0; i < group.Count; i++)
                    Complete(group[i].Done, outcomes[i]);
            }
            catch (Exception failure) when (failure is NpgsqlException or IOException or TimeoutException or InvalidOperationException or ArgumentException)
            {
                // A connection in an unknown state is given up; the next group begins with a new one, and so recovers by itself.
                if (connection is not null)
                    await connection.DisposeAsync();
                connection = null;
                var refusal = new StorageException($"The store could not write to PostgreSQL: {failure.Message}", failure);
                foreach (var waiting in group)
                    waiting.Done.TrySetException(refusal);
            }
        }
        if (connection is not null)
            await connection.DisposeAsync();
    }

    static void Complete(TaskCompletionSource done, Exception? outcome)
    {
        if (outcome is null)
            done.SetResult();
        else
            done.SetException(outcome);
    }

    /// <summary>PostgreSQL would refuse to compare with what it cannot hold.</summary>
    static bool HoldsNothing(Scan scan) =>
        !StoreSql.CanHold(scan.Value ?? "") || !StoreSql.CanHold(scan.Prefix ?? "") || !StoreSql.CanHold(scan.After ?? "");

    NpgsqlCommand Command(string sql, ReadOnlySpan<(string Name, object Value)> parameters)
    {
        var command = database.Source.CreateCommand(sql);
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        return command;
    }

    static Row<T> ReadRow<T>(AccountId account, NpgsqlDataReader rows, string cursor) where T : class =>
        new(account, rows.GetString(0), JsonSerializer.Deserialize<T>(rows.GetFieldValue<byte[]>(2), StorageJson.Options)!, rows.GetInt64(1), cursor);

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        if (writer is not null)
            await writer;
    }
}

/// <summary>A batch that waits for the writer.</summary>
readonly record struct PostgresWaiting(Batch Batch, TaskCompletionSource Done);
