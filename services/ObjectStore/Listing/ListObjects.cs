using System.Xml.Serialization;
using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Objects;

namespace Althing.ObjectStore.Listing;

[Operation<S3Api>("GET /{Bucket}")]
sealed class ListObjects(ObjectFinder finder, KeyListing listing) : Operation<ListObjectsRequest, ListObjectsResult>
{
    protected override Permission Needs(ListObjectsRequest request, Caller caller) => request.Needs("s3:ListBucket");

    protected override async ValueTask<ListObjectsResult> Run(ListObjectsRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        // A marker that is a common prefix has all its keys behind it.
        var after = request is { Marker: { Length: > 0 } marker, Delimiter.Length: > 0 } && marker.EndsWith(request.Delimiter, StringComparison.Ordinal) ? marker + KeyListing.Last : request.Marker;
        var page = await Page.Read(listing.Objects(caller.Account, request.Bucket, request.Prefix, request.Delimiter, after, markers: false, cancel), request.Size, cancel);
        return new()
        {
            Name = request.Bucket,
            Prefix = request.Encode(request.Prefix ?? ""),
            Marker = request.Encode(request.Marker ?? ""),
            Delimiter = request.Delimiter is { } delimiter ? request.Encode(delimiter) : null,
            EncodingType = request.EncodingType,
            MaxKeys = request.Size,
            IsTruncated = page.IsCut,
            NextMarker = page.IsCut && request.Delimiter is not null ? request.Encode(page.Entries[^1].Name) : null,
            Contents = page.Objects(request, withOwner: true),
            CommonPrefixes = page.Prefixes(request),
        };
    }
}

sealed record ListObjectsRequest : ListRequest
{
    [Query("max-keys"), Range(0)]
    public int? MaxKeys { get; init; }
    [Query("marker")]
    public string? Marker { get; init; }
    protected override int? Wanted => MaxKeys;
}

[XmlRoot("ListBucketResult")]
sealed record ListObjectsResult
{
    public required string Name { get; init; }
    public required string Prefix { get; init; }
    public required string Marker { get; init; }
    public string? Delimiter { get; init; }
    public string? EncodingType { get; init; }
    public required int MaxKeys { get; init; }
    public required bool IsTruncated { get; init; }
    public string? NextMarker { get; init; }
    [XmlElement("Contents")]
    public required IReadOnlyList<ListedObject> Contents { get; init; }
    [XmlElement("CommonPrefixes")]
    public required IReadOnlyList<CommonPrefix> CommonPrefixes { get; init; }
}
