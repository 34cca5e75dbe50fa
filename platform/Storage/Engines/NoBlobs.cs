namespace Althing.Storage.Engines;

/// <summary>Where blobs cannot be kept: says why whenever one is written. There are none to read.</summary>
sealed class NoBlobs(string why) : IBlobs
{
    public ValueTask Put(AccountId account, string name, Stream content, CancellationToken cancel) => throw new StorageException(why);

    public ValueTask<Stream?> Get(AccountId account, string name, CancellationToken cancel) => new((Stream?)null);

    public ValueTask<Stream?> Open(AccountId account, string name, long offset, long? bytes, CancellationToken cancel) => new((Stream?)null);

    public ValueTask<bool> Delete(AccountId account, string name, CancellationToken cancel) => new(false);

    public IAsyncEnumerable<(string Name, long Bytes)> List(AccountId account, string prefix, CancellationToken cancel) => AsyncEnumerable.Empty<(string, long)>();
}
