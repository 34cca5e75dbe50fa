using System.Xml.Serialization;
using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Objects;
using Althing.Storage;

namespace Althing.ObjectStore.Listing;

[Operation<S3Api>("GET /{Bucket}?versions")]
sealed class ListObjectVersions(ObjectFinder finder, KeyListing listing, IStore store) : Operation<ListObjectVersionsRequest, ListVersionsResult>
{
    protected override Permission Needs(ListObjectVersionsRequest request, Caller caller) => request.Needs("s3:ListBucketVersions");

    protected override async ValueTask<ListVersionsResult> Run(ListObjectVersionsRequest request, Caller caller, CancellationToken cancel)
    {
        var bucket = await finder.Bucket(caller, request, cancel);
        List<(Entry<StoredObject> Entry, bool IsLatest)> found = [];
        var cut = false;
        await foreach (var entry in All(request, caller, bucket.Versioning is not null, cancel))
        {
            if (found.Count == request.Size)
            {
                cut = request.Size > 0;
                break;
            }
            found.Add(entry);
        }
        var last = cut ? found[^1].Entry : null;
        return new()
        {
            Name = request.Bucket,
            Prefix = request.Encode(request.Prefix ?? ""),
            KeyMarker = request.Encode(request.KeyMarker ?? ""),
            VersionIdMarker = request.VersionIdMarker ?? "",
            NextKeyMarker = last is null ? null : request.Encode(last.Name),
            NextVersionIdMarker = last?.Value?.VersionId,
            Delimiter = request.Delimiter is { } delimiter ? request.Encode(delimiter) : null,
            EncodingType = request.EncodingType,
            MaxKeys = request.Size,
            IsTruncated = cut,
            Versions = [.. found.Where(f => f.Entry.Value is { IsMarker: false }).Select(f => ListedVersion.Of(f.Entry.Value!, f.IsLatest, request))],
            DeleteMarkers = [.. found.Where(f => f.Entry.Value is { IsMarker: true }).Select(f => ListedMarker.Of(f.Entry.Value!, f.IsLatest, request))],
            CommonPrefixes = [.. found.Where(f => f.Entry.IsPrefix).Select(f => new CommonPrefix { Prefix = request.Encode(f.Entry.Name) })],
        };
    }

    async IAsyncEnumerable<(Entry<StoredObject>, bool)> All(
        ListObjectVersionsRequest request, Caller caller, bool hasOlder, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var after = request.KeyMarker is { Length: > 0 } marker ? marker : null;
        if (after is not null && request.Delimiter is { Length: > 0 } delimiter && after.EndsWith(delimiter, StringComparison.Ordinal))
            after += KeyListing.Last;
        // The rest of the versions of the key that the page before broke off in.
        if (hasOlder && request is { KeyMarker: { Length: > 0 } key, VersionIdMarker: { Length: > 0 } version })
        {
            var reached = await IsLatest(caller.Account, request.Bucket, key, version, cancel);
            await foreach (var older in Older(caller.Account, request.Bucket, key, cancel))
            {
                if (reached)
                    yield return (new(key, older), false);
                else
                    reached = older.VersionId == version;
            }
        }
        await foreach (var entry in listing.Objects(caller.Account, request.Bucket, request.Prefix, request.Delimiter, after, markers: true, cancel))
        {
            yield return (entry, true);
            if (!hasOlder || entry.Value is not { } latest)
                continue;
            await foreach (var older in Older(caller.Account, request.Bucket, latest.Key, cancel))
                yield return (new(latest.Key, older), false);
        }
    }

    async ValueTask<bool> IsLatest(AccountId account, string bucket, string key, string version, CancellationToken cancel) =>
        await store.Get(StoredObject.Latest, account, StoredObject.LatestKey(bucket, key), cancel) is { } latest && latest.Value.VersionId == version;

    async IAsyncEnumerable<StoredObject> Older(AccountId account, string bucket, string key, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        string? after = null;
        while (true)
        {
            var rows = await store.Scan(StoredObject.Older, account, Scan.Under(StoredObject.OlderPrefix(bucket, key)) with { After = after, Limit = 1000 }, cancel);
            foreach (var row in rows)
                yield return row.Value;
            if (rows.Count < 1000)
                yield break;
            after = rows[^1].Cursor;
        }
    }
}

sealed record ListObjectVersionsRequest : ListRequest
{
    [Query("max-keys"), Range(0)]
    public int? MaxKeys { get; init; }
    [Query("key-marker")]
    public string? KeyMarker { get; init; }
    [Query("version-id-marker")]
    public string? VersionIdMarker { get; init; }
    protected override int? Wanted => MaxKeys;
}

[XmlRoot("ListVersionsResult")]
sealed record ListVersionsResult
{
    public required string Name { get; init; }
    public required string Prefix { get; init; }
    public required string KeyMarker { get; init; }
    public required string VersionIdMarker { get; init; }
    public string? NextKeyMarker { get; init; }
    public string? NextVersionIdMarker { get; init; }
    public string? Delimiter { get; init; }
    public string? EncodingType { get; init; }
    public required int MaxKeys { get; init; }
    public required bool IsTruncated { get; init; }
    [XmlElement("Version")]
    public required IReadOnlyList<ListedVersion> Versions { get; init; }
    [XmlElement("DeleteMarker")]
    public required IReadOnlyList<ListedMarker> DeleteMarkers { get; init; }
    [XmlElement("CommonPrefixes")]
    public required IReadOnlyList<CommonPrefix> CommonPrefixes { get; init; }
}

sealed record ListedVersion
{
    public required string Key { get; init; }
    public required string VersionId { get; init; }
    public required bool IsLatest { get; init; }
    public required DateTimeOffset LastModified { get; init; }
    public required string ETag { get; init; }
    public required long Size { get; init; }
    public string StorageClass { get; init; } = "STANDARD";
    public required Owner Owner { get; init; }

    public static ListedVersion Of(StoredObject version, bool isLatest, ListRequest request) => new()
    {
        Key = request.Encode(version.Key),
        VersionId = version.VersionId,
        IsLatest = isLatest,
        LastModified = version.Modified,
        ETag = Answers.Quoted(version.Content!.ETag),
        Size = version.Content.Bytes,
        Owner = Answers.OwnerOf(version.Account),
    };
}

sealed record ListedMarker
{
    public required string Key { get; init; }
    public required string VersionId { get; init; }
    public required bool IsLatest { get; init; }
    public required DateTimeOffset LastModified { get; init; }
    public required Owner Owner { get; init; }

    public static ListedMarker Of(StoredObject version, bool isLatest, ListRequest request) => new()
    {
        Key = request.Encode(version.Key),
        VersionId = version.VersionId,
        IsLatest = isLatest,
        LastModified = version.Modified,
        Owner = Answers.OwnerOf(version.Account),
    };
}
