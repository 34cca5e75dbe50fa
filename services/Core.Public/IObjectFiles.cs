using Althing.Identity;
using Althing.Storage;

namespace Althing.Core;

/// <summary>What services need of the object store; the host joins the two.</summary>
public interface IObjectFiles
{
    /// <summary>Opens an account's object; null when there is none. The caller disposes it.</summary>
    /// <param name="offset">The first byte to read.</param>
    ValueTask<ObjectFile?> Open(AccountId account, string bucket, string key, long offset, CancellationToken cancel);

    /// <summary>What is known of an object; null when there is none.</summary>
    /// <param name="version">A version's id; null for the latest.</param>
    ValueTask<ObjectFacts?> Find(AccountId account, string bucket, string key, string? version, CancellationToken cancel);

    /// <summary>Opens a part of an object; null when there is none. The caller disposes it.</summary>
    /// <param name="version">A version's id; null for the latest.</param>
    /// <param name="bytes">How many at most.</param>
    ValueTask<ObjectFile?> OpenRange(AccountId account, string bucket, string key, string? version, long offset, long bytes, CancellationToken cancel);

    /// <summary>Writes an object, durably.</summary>
    ValueTask Write(AccountId account, string bucket, string key, Stream content, string contentType, CancellationToken cancel);

    /// <summary>A URL by which an object can be read with a role's rights.</summary>
    Uri Presign(Role role, string region, string bucket, string key, TimeSpan lifetime);
}

/// <summary>An object that is open for reading.</summary>
/// <param name="Bytes">The length of the whole object.</param>
/// <param name="ETag">Another one when the object was overwritten.</param>
public sealed record ObjectFile(Stream Content, long Bytes, string ETag) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Content.DisposeAsync();
}

/// <summary>What an object is.</summary>
/// <param name="Version">Its version's id, <c>null</c> in buckets without versions.</param>
public sealed record ObjectFacts(long Bytes, string ETag, string Version);
