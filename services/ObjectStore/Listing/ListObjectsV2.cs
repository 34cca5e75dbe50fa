using System.Xml.Serialization;
using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Objects;

namespace Althing.ObjectStore.Listing;

[Operation<S3Api>("GET /{Bucket}?list-type=2")]
sealed class ListObjectsV2(ObjectFinder finder, KeyListing listing, PageTokens tokens) : Operation<ListObjectsV2Request, ListObjectsV2Result>
{
    protected override Permission Needs(ListObjectsV2Request request, Caller caller) => request.Needs("s3:ListBucket");

    protected override async ValueTask<ListObjectsV2Result> Run(ListObjectsV2Request request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var name = $"s3:{request.Bucket}";
        var place = tokens.Open(caller, name, request.ContinuationToken, _ => Refuse.InvalidArgument("The continuation token provided is incorrect"));
        var page = await Page.Read(listing.Objects(caller.Account, request.Bucket, request.Prefix, request.Delimiter, place ?? request.StartAfter, markers: false, cancel), request.Size, cancel);
        return new()
        {
            Name = request.Bucket,
            Prefix = request.Encode(request.Prefix ?? ""),
            Delimiter = request.Delimiter is { } delimiter ? request.Encode(delimiter) : null,
            StartAfter = request.StartAfter is { } start ? request.Encode(start) : null,
            EncodingType = request.EncodingType,
            MaxKeys = request.Size,
            KeyCount = page.Entries.Count,
            IsTruncated = page.IsCut,
            ContinuationToken = request.ContinuationToken,
            NextContinuationToken = page.IsCut ? tokens.Seal(caller, name, page.Entries[^1].Place) : null,
            Contents = page.Objects(request, request.FetchOwner == true),
            CommonPrefixes = page.Prefixes(request),
        };
    }
}

/// <summary>What all listings of keys take.</summary>
abstract record ListRequest : BucketRequest
{
    const int SizeMax = 1000;

    [Query("prefix")]
    public string? Prefix { get; init; }
    [Query("delimiter")]
    public string? Delimiter { get; init; }
    [Query("encoding-type"), OneOf("url")]
    public string? EncodingType { get; init; }

    protected abstract int? Wanted { get; }

    [System.Text.Json.Serialization.JsonIgnore]
    public int Size => Math.Min(Wanted ?? SizeMax, SizeMax);

    public string Encode(string name) => Answers.Encoded(name, EncodingType);

    public Permission Needs(string action)
    {
        Dictionary<string, string> context = new() { ["s3:prefix"] = Prefix ?? "", ["s3:max-keys"] = $"{Size}" };
        if (Delimiter is not null)
            context["s3:delimiter"] = Delimiter;
        return new(action, S3Api.Arn(Bucket)) { Context = context };
    }
}

sealed record ListObjectsV2Request : ListRequest
{
    [Query("max-keys"), Range(0)]
    public int? MaxKeys { get; init; }
    [Query("continuation-token")]
    public string? ContinuationToken { get; init; }
    [Query("start-after")]
    public string? StartAfter { get; init; }
    [Query("fetch-owner")]
    public bool? FetchOwner { get; init; }
    protected override int? Wanted => MaxKeys;
}

/// <summary>As many entries as were asked for, and whether there are more.</summary>
sealed record Page(IReadOnlyList<Entry<StoredObject>> Entries, bool IsCut)
{
    public static async ValueTask<Page> Read(IAsyncEnumerable<Entry<StoredObject>> all, int size, CancellationToken cancel)
    {
        List<Entry<StoredObject>> entries = [];
        if (size == 0)
            return new(entries, false);
        await foreach (var entry in all.WithCancellation(cancel))
        {
            if (entries.Count == size)
                return new(entries, true);
            entries.Add(entry);
        }
        return new(entries, false);
    }

    public IReadOnlyList<ListedObject> Objects(ListRequest request, bool withOwner) =>
        [.. Entries.Where(e => !e.IsPrefix).Select(e => ListedObject.Of(e.Value!, request, withOwner))];

    public IReadOnlyList<CommonPrefix> Prefixes(ListRequest request) => [.. Entries.Where(e => e.IsPrefix).Select(e => new CommonPrefix { Prefix = request.Encode(e.Name) })];
}

[XmlRoot("ListBucketResult")]
sealed record ListObjectsV2Result
{
    public required string Name { get; init; }
    public required string Prefix { get; init; }
    public string? Delimiter { get; init; }
    public string? StartAfter { get; init; }
    public string? EncodingType { get; init; }
    public required int MaxKeys { get; init; }
    public required int KeyCount { get; init; }
    public required bool IsTruncated { get; init; }
    public string? ContinuationToken { get; init; }
    public string? NextContinuationToken { get; init; }
    [XmlElement("Contents")]
    public required IReadOnlyList<ListedObject> Contents { get; init; }
    [XmlElement("CommonPrefixes")]
    public required IReadOnlyList<CommonPrefix> CommonPrefixes { get; init; }
}

sealed record ListedObject
{
    public required string Key { get; init; }
    public required DateTimeOffset LastModified { get; init; }
    public required string ETag { get; init; }
    [XmlElement("ChecksumAlgorithm")]
    public required IReadOnlyList<string> ChecksumAlgorithm { get; init; }
    public string? ChecksumType { get; init; }
    public required long Size { get; init; }
    public string StorageClass { get; init; } = "STANDARD";
    public Owner? Owner { get; init; }

    public static ListedObject Of(StoredObject version, ListRequest request, bool withOwner) => new()
    {
        Key = request.Encode(version.Key),
        LastModified = version.Modified,
        ETag = Answers.Quoted(version.Content!.ETag),
        ChecksumAlgorithm = [version.Content.Algorithm],
        ChecksumType = version.Content.ChecksumType,
        Size = version.Content.Bytes,
        Owner = withOwner ? Answers.OwnerOf(version.Account) : null,
    };
}

sealed record CommonPrefix
{
    public required string Prefix { get; init; }
}
