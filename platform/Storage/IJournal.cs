namespace Althing.Storage;

/// <summary>An append-only log of one name. An append that returned is on disk; order is the order of the calls.</summary>
public interface IJournal : IAsyncDisposable
{
    /// <summary>Adds a record and answers its position when it is durable. Many callers share one disk write.</summary>
    ValueTask<long> Append(ReadOnlyMemory<byte> record, CancellationToken cancel);

    /// <summary>Every record from this position on, in order; a torn last record, which was never acknowledged, is left out.</summary>
    IAsyncEnumerable<(long Position, ReadOnlyMemory<byte> Record)> Replay(long from, CancellationToken cancel);

    /// <summary>Records before this position are no longer needed; their disk space may be given back.</summary>
    ValueTask Trim(long before, CancellationToken cancel);
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
