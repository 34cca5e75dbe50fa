using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Buckets;
using Althing.ObjectStore.Bytes;

namespace Althing.ObjectStore.Objects;

/// <summary>Finds versions of objects for callers, and opens their bytes.</summary>
sealed class ObjectFinder(BucketStore buckets, ObjectShelf shelf, ContentKeeper keeper)
{
    /// <summary>How often the row is read anew when its bytes were replaced between reading it and opening them.</summary>
    const int AttemptsMax = 10;

    /// <summary>The bucket, if it is the caller's and the one whose owner the request names.</summary>
    public async ValueTask<Bucket> Bucket(Caller caller, BucketRequest request, CancellationToken cancel)
    {
        var bucket = await buckets.Require(caller, request.Bucket, cancel);
        return request.Amz.TryGetValue("expected-bucket-owner", out var owner) && owner != caller.Account.Value ? throw Refuse.AccessDenied("Access Denied") : bucket.Value;
    }

    /// <summary>A version that is no delete marker.</summary>
    /// <exception cref="ServiceException">
    /// NoSuchKey, or for who may not list the bucket AccessDenied; NoSuchVersion; MethodNotAllowed for a delete marker.
    /// </exception>
    public async ValueTask<StoredObject> Require(Caller caller, string bucket, string key, string? versionId, CancellationToken cancel)
    {
        await buckets.Require(caller, bucket, cancel);
        var found = await shelf.Find(caller.Account, bucket, key, versionId, cancel);
        if (found is { Row.Value: { IsMarker: false } there })
            return there;
        if (found is not null && versionId is not null)
            throw Refuse.MarkerNotAllowed();
        if (!Authorization.Allows(new("s3:ListBucket", S3Api.Arn(bucket)), caller))
            throw Refuse.AccessDenied("Access Denied");
        throw versionId is null ? Refuse.NoSuchKey(key) : Refuse.NoSuchVersion(key, versionId);
    }

    /// <summary>A version and a part of its bytes.</summary>
    /// <param name="choose">Decides from the version what to read; null for nothing. May throw.</param>
    public async ValueTask<(StoredObject Version, (long Offset, long Bytes)? Chosen, Stream? Content)> Open(
        Caller caller, string bucket, string key, string? versionId, Func<StoredObject, ValueTask<(long Offset, long Bytes)?>> choose, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            var version = await Require(caller, bucket, key, versionId, cancel);
            if (await choose(version) is not { } chosen)
                return (version, null, null);
            if (await keeper.Open(version.Account, version.Content!, chosen.Offset, chosen.Bytes, cancel) is { } content)
                return (version, chosen, content);
            if (attempt == AttemptsMax)
                throw new InvalidDataException($"The bytes of '{key}' in bucket '{bucket}' are gone ({version.Content!.Id}). Restore them from a backup.");
        }
    }
}
