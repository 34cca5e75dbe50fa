using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace Althing.Storage.Engines;

/// <summary>
/// The embedded store: one SQLite file in WAL mode with <c>synchronous=FULL</c>. One writer commits whatever waits as one transaction, so
/// that many callers share one disk write; readers have connections of their own and never wait for it.
/// </summary>
sealed class SqliteStore : IStore
{
    /// <summary>Batches in one transaction: enough to share the disk write, few enough to keep the last one's wait short.</summary>
    const int GroupMax = 512;

    /// <summary>Batches waiting for the writer before callers wait in turn.</summary>
    const int QueueMax = 4096;

    readonly SqliteFile file;
    readonly Channel<Waiting> queue = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(QueueMax) { SingleReader = true });
    readonly Task writer;

    readonly record struct Waiting(Batch Batch, TaskCompletionSource Done);

    public SqliteStore(string path)
    {
        file = new(path);
        writer = Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    internal SqliteFile File => file;

    public ValueTask<Row<T>?> Get<T>(Table<T> table, AccountId account, string key, CancellationToken cancel) where T : class
    {
        cancel.ThrowIfCancellationRequested();
        using var reader = file.Rent();
        using var rows = reader.Query(StoreSql.Get, ("@t", table.Name), ("@a", account.Value), ("@k", key));
        return new(rows.Read() ? ReadRow<T>(account, rows, rows.GetString(0)) : null);
    }

    public ValueTask<IReadOnlyList<Row<T>>> Scan<T>(Table<T> table, AccountId account, Scan scan, CancellationToken cancel) where T : class
    {
        cancel.ThrowIfCancellationRequested();
        var (sql, parameters) = StoreSql.Scan(table, account, scan, count: false);
        using var reader = file.Rent();
        using var rows = reader.Query(sql, parameters);
        List<Row<T>> found = [];
        while (rows.Read())
            found.Add(ReadRow<T>(account, rows, scan.Index is null ? rows.GetString(0) : StoreSql.Cursor(rows.GetString(3), rows.GetString(0))));
        return new(found);
    }

    public ValueTask<long> Count<T>(Table<T> table, AccountId account, Scan scan, CancellationToken cancel) where T : class
    {
        cancel.ThrowIfCancellationRequested();
        var (sql, parameters) = StoreSql.Scan(table, account, scan, count: true);
        using var reader = file.Rent();
        using var rows = reader.Query(sql, parameters);
        return new(rows.Read() ? rows.GetInt64(0) : 0);
    }

    public async IAsyncEnumerable<Row<T>> ScanAll<T>(Table<T> table, [EnumeratorCancellation] CancellationToken cancel) where T : class
    {
        await Task.CompletedTask;
        var (account, key) = ("", "");
        while (true)
        {
            // Page by page, so that no reader holds the write-ahead log for the length of a caller's work.
            List<Row<T>> page = [];
            using (var reader = file.Rent())
            {
                using var rows = reader.Query(StoreSql.All, ("@t", table.Name), ("@a", account), ("@k", key), ("@n", 1000));
                while (rows.Read())
                    page.Add(ReadRow<T>(AccountId.FromStorage(rows.GetString(3)), rows, rows.GetString(0)));
            }
            foreach (var row in page)
            {
                cancel.ThrowIfCancellationRequested();
                yield return row;
            }
            if (page.Count < 1000)
                yield break;
            (account, key) = (page[^1].Account.Value, page[^1].Key);
        }
    }

    public async ValueTask Commit(Batch batch, CancellationToken cancel)
    {
        if (batch.Steps.Count == 0)
            return;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await queue.Writer.WriteAsync(new(batch, done), cancel);
        // Once it is queued it may be written: the caller must learn the outcome, cancelled or not.
        await done.Task;
    }

    void Write()
    {
        using var connection = file.OpenWriter();
        List<Waiting> group = [];
        while (WaitForWork())
        {
            group.Clear();
            while (group.Count < GroupMax && queue.Reader.TryRead(out var waiting))
                group.Add(waiting);
            WriteGroup(connection, group);
        }
    }

    bool WaitForWork()
    {
        var wait = queue.Reader.WaitToReadAsync();
        return wait.IsCompletedSuccessfully ? wait.Result : wait.AsTask().GetAwaiter().GetResult();
    }

    static void WriteGroup(SqliteSession connection, List<Waiting> group)
    {
        var outcomes = new Exception?[group.Count];
        try
        {
            connection.Execute("BEGIN IMMEDIATE");
            for (var i = 0; i < group.Count; i++)
                outcomes[i] = WriteBatch(connection, group[i].Batch);
            connection.Execute("COMMIT");
        }
        catch (Exception failure) when (failure is SqliteException or InvalidOperationException)
        {
            // A full disk or a failing device: nothing of the group is written, nobody is told otherwise, and the next group tries anew.
            connection.TryRollback();
            var refusal = new StorageException($"The store could not write: {failure.Message} Free disk space or check the device; nothing was lost.", failure);
            // A conflict found on the way may have been with a batch that is now undone, so it is no answer either.
            Array.Fill(outcomes, refusal);
        }
        for (var i = 0; i < group.Count; i++)
        {
            if (outcomes[i] is { } outcome)
                group[i].Done.SetException(outcome);
            else
                group[i].Done.SetResult();
        }
    }

    /// <summary>Carries out one batch, or nothing of it: all conditions are tried before the first write.</summary>
    static StorageConflictException? WriteBatch(SqliteSession connection, Batch batch)
    {
        foreach (var step in batch.Steps)
        {
            if (step.ExpectedVersion is { } expected && connection.VersionOf(step) != expected)
                return new(step.Table.Name, step.Key);
        }
        foreach (var step in batch.Steps)
        {
            if (step.Verb == BatchVerb.Put)
                connection.Put(step);
            else if (step.Verb == BatchVerb.Delete)
                connection.Delete(step);
        }
        return null;
    }

    static Row<T> ReadRow<T>(AccountId account, SqliteDataReader rows, string cursor) where T : class =>
        new(account, rows.GetString(0), JsonSerializer.Deserialize<T>(rows.GetFieldValue<byte[]>(2), StorageJson.Options)!, rows.GetInt64(1), cursor);

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await writer;
        file.Dispose();
    }
}
