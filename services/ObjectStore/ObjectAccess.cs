using Althing.Api;
using Althing.Api.SigV4;
using Althing.Identity;
using Althing.ObjectStore.Buckets;
using Althing.ObjectStore.Bytes;
using Althing.ObjectStore.Digests;
using Althing.ObjectStore.Elsewhere;
using Althing.ObjectStore.Objects;
using Althing.Storage;

namespace Althing.ObjectStore;

/// <summary>What other services do with objects, in process. Rights are the caller's business: nothing is asked here but who owns the bucket.</summary>
public sealed class ObjectAccess
{
    readonly ObjectShelf shelf;
    readonly ObjectWriter writer;
    readonly ContentKeeper keeper;
    readonly BucketStore buckets;
    readonly SigningKeys keys;
    readonly TimeProvider time;
    readonly Forwarding forwarding;
    readonly RemoteAccess remote;

    internal ObjectAccess(
        ObjectShelf shelf, ObjectWriter writer, ContentKeeper keeper, BucketStore buckets, SigningKeys keys, TimeProvider time, Forwarding forwarding, RemoteAccess remote)
    {
        (this.shelf, this.writer, this.keeper, this.buckets, this.keys, this.time) = (shelf, writer, keeper, buckets, keys, time);
        (this.forwarding, this.remote) = (forwarding, remote);
    }

    /// <summary>Opens an object of the account's; null when there is none. The caller disposes it.</summary>
    /// <param name="version">A version's id; null for the latest.</param>
    /// <param name="offset">The first byte to read.</param>
    /// <param name="bytes">How many bytes at most; null for all that follow.</param>
    public async ValueTask<OpenObject?> Open(AccountId account, string bucket, string key, string? version, long offset, long? bytes, CancellationToken cancel)
    {
        if (await buckets.Find(account, bucket, cancel) is not { } owned)
            return null;
        if (forwarding.WayTo(owned) is { } way)
            return await remote.Open(way, bucket, key, version, offset, bytes, cancel);
        while (await shelf.Find(account, bucket, key, version, cancel) is { Row.Value: { Content: { } content } found })
        {
            var count = Math.Clamp(bytes ?? long.MaxValue, 0, Math.Max(0, content.Bytes - offset));
            // Null when it was overwritten since: then the new one is read.
            if (await keeper.Open(account, content, Math.Min(offset, content.Bytes), count, cancel) is { } stream)
                return new(stream, content.Bytes, content.ETag, found.VersionId, found.Headers.ContentType);
        }
        return null;
    }

    /// <summary>What is known of an object of the account's; null when there is none.</summary>
    /// <param name="version">A version's id; null for the latest.</param>
    public async ValueTask<(long Bytes, string ETag, string Version)?> Find(AccountId account, string bucket, string key, string? version, CancellationToken cancel) =>
        await shelf.Find(account, bucket, key, version, cancel) is { Row.Value: { Content: { } content } found } ? (content.Bytes, content.ETag, found.VersionId) : null;

    /// <summary>Writes an object, durably; answers its version's id, <c>null</c> in buckets without versions.</summary>
    /// <exception cref="ServiceException">NoSuchBucket; AccessDenied when the bucket is another account's.</exception>
    public async ValueTask<string> Write(AccountId account, string bucket, string key, Stream content, string contentType, CancellationToken cancel)
    {
        StoredObject.CheckKey(key);
        var owned = (await buckets.Require(bucket, cancel)).Value;
        if (owned.Owner != account)
            throw Refuse.AccessDenied($"The bucket '{bucket}' belongs to another account.");
        if (forwarding.WayTo(owned) is { } way)
            return await remote.Write(way, bucket, key, content, contentType, cancel);
        var draft = new StoredObject { Account = account, Bucket = bucket, Key = key, Headers = new() { ContentType = contentType } };
        return (await writer.Put(draft, content, null, ChecksumAlgorithm.Default, null, null, cancel)).VersionId;
    }

    /// <summary>A URL that lets whoever has it read or write one object with a role's rights, until it expires. No rights are checked now, but when it is used.</summary>
    /// <param name="role">Whose policies must allow it; whoever calls this has checked that the role may be used.</param>
    /// <param name="method">GET, HEAD or PUT.</param>
    /// <param name="endpoint">Where clients reach the platform, such as <c>https://iot.example.com:8443</c>.</param>
    /// <param name="lifetime">1 second to 7 days.</param>
    public Uri Presign(Role role, string method, Uri endpoint, string region, string bucket, string key, TimeSpan lifetime)
    {
        var (session, _) = keys.CreateSession(role, "presigned", lifetime, policy: null);
        var path = string.Join('/', key.Split('/').Select(Uri.EscapeDataString));
        return new SigV4Signer(session.AccessKeyId, session.SecretAccessKey, region, "s3", time, session.SessionToken).Presign(method, new Uri(endpoint, $"/{bucket}/{path}"), lifetime);
    }
}

/// <summary>An object that is open for reading.</summary>
/// <param name="Bytes">The length of the whole object.</param>
public sealed record OpenObject(Stream Content, long Bytes, string ETag, string Version, string? ContentType) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Content.DisposeAsync();
}
