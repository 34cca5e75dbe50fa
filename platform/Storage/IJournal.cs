namespace Althing.Storage;

/// <summary>An append-only log of one name. What an append's task completed for is on disk; order is the order of the calls.</summary>
public interface IJournal : IAsyncDisposable
{
    /// <summary>
    /// Adds a record without waiting. It is copied at once and shares one disk write, and one task, with what else is added meanwhile.
    /// </summary>
    JournalEntry Add(ReadOnlySpan<byte> record);

    /// <summary>Adds a record and answers its position when it is durable.</summary>
    async ValueTask<long> Append(ReadOnlyMemory<byte> record, CancellationToken cancel)
    {
        var entry = Add(record.Span);
        await entry.Group.Durable.WaitAsync(cancel);
        return entry.Position;
    }

    /// <summary>The position that follows the last durable record.</summary>
    ValueTask<long> End(CancellationToken cancel);

    /// <summary>
    /// Every record from one position up to, not including, another, in order; a torn last record, which was never acknowledged, is left out.
    /// The bytes of a record are valid until the next one is asked for.
    /// </summary>
    IAsyncEnumerable<(long Position, ReadOnlyMemory<byte> Record)> Replay(long from, long to, CancellationToken cancel);

    /// <summary>
    /// Reads single records again, nearby ones together. The handler gets each position's index and its bytes, which are valid during the call;
    /// positions that were trimmed are left out.
    /// </summary>
    /// <param name="positions">In ascending order.</param>
    ValueTask Read(IReadOnlyList<long> positions, Action<int, ReadOnlyMemory<byte>> take, CancellationToken cancel);

    /// <summary>Records before this position are no longer needed; their disk space may be given back.</summary>
    ValueTask Trim(long before, CancellationToken cancel);
}

/// <summary>A row whose change takes a journal away from the process that writes it: from then on none of its records is kept.</summary>
public sealed record JournalFence(ITable Table, AccountId Account, string Key, long Version);

/// <summary>Records that go to disk together.</summary>
public sealed class JournalGroup
{
    readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the records are on disk, or fails with a <see cref="StorageException"/>: then none of them is kept.</summary>
    public Task Durable => done.Task;

    /// <summary>The position of the first one, once the group is durable.</summary>
    public long First { get; private set; }

    internal void Complete(long first)
    {
        First = first;
        done.SetResult();
    }

    internal void Fail(StorageException failure)
    {
        done.SetException(failure);
        // Not everybody waits for every record.
        _ = done.Task.Exception;
    }
}

/// <summary>A record that was added.</summary>
/// <param name="Index">Its place within the group.</param>
public readonly record struct JournalEntry(JournalGroup Group, int Index)
{
    /// <summary>Its position, once the group is durable.</summary>
    public long Position => Group.First + Index;
}

/// <summary>Byte objects by account and name, written whole: a reader sees the old or the new one, never half.</summary>
public interface IBlobs
{
    ValueTask Put(AccountId account, string name, Stream content, CancellationToken cancel);

    /// <summary>The content, found whole before the first byte is read, or null when there is none. For small blobs. The caller disposes it.</summary>
    ValueTask<Stream?> Get(AccountId account, string name, CancellationToken cancel);

    /// <summary>
    /// The content from an offset on, without reading any of it beforehand, or null when there is none. A blob that is read whole is checked
    /// on the way, and its last bytes come only when its checksum holds. The caller disposes it.
    /// </summary>
    /// <param name="offset">The first byte to read.</param>
    /// <param name="bytes">How many bytes; null for all that follow.</param>
    ValueTask<Stream?> Open(AccountId account, string name, long offset, long? bytes, CancellationToken cancel);

    ValueTask<bool> Delete(AccountId account, string name, CancellationToken cancel);

    IAsyncEnumerable<(string Name, long Bytes)> List(AccountId account, string prefix, CancellationToken cancel);
}
