using System.Text.Json.Serialization;
using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Bytes;

namespace Althing.ObjectStore.Objects;

[Operation<S3Api>("GET /{Bucket}/{Key+}")]
sealed class GetObject(ObjectFinder finder, ContentKeeper keeper) : Operation<ReadRequest, ReadResponse>
{
    protected override Permission Needs(ReadRequest request, Caller caller) => request.Permission();

    protected override void Check(ReadRequest request) => Unserved.Check(request.Amz);

    protected override async ValueTask<ReadResponse> Run(ReadRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var unchanged = false;
        var choice = new ReadChoice(0, 0, null);
        var (version, _, content) = await finder.Open(caller, request.Bucket, request.Key, request.VersionId, async found =>
        {
            unchanged = request.Conditions().IsUnchanged(found);
            choice = await ReadChoice.Of(request, found, keeper, cancel);
            return unchanged ? null : (choice.Offset, choice.Bytes);
        }, cancel);
        return ReadResponse.Of(request, version, unchanged, choice) with { Content = content };
    }
}

[Operation<S3Api>("HEAD /{Bucket}/{Key+}")]
sealed class HeadObject(ObjectFinder finder, ContentKeeper keeper) : Operation<ReadRequest, ReadResponse>
{
    protected override Permission Needs(ReadRequest request, Caller caller) => request.Permission();

    protected override void Check(ReadRequest request) => Unserved.Check(request.Amz);

    protected override async ValueTask<ReadResponse> Run(ReadRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var version = await finder.Require(caller, request.Bucket, request.Key, request.VersionId, cancel);
        return ReadResponse.Of(request, version, request.Conditions().IsUnchanged(version), await ReadChoice.Of(request, version, keeper, cancel));
    }
}

/// <summary>Which bytes of an object a request wants.</summary>
/// <param name="ContentRange">The header of that name when it is not all.</param>
sealed record ReadChoice(long Offset, long Bytes, string? ContentRange)
{
    public static async ValueTask<ReadChoice> Of(ReadRequest request, StoredObject version, ContentKeeper keeper, CancellationToken cancel)
    {
        var content = version.Content!;
        if (request.PartNumber is { } number)
        {
            if (request.Range is not null)
                throw Refuse.InvalidRequest("Cannot specify both Range header and partNumber query parameter");
            var (offset, bytes) = await Part(number, version, keeper, cancel);
            return new(offset, bytes, Header(offset, bytes, content.Bytes));
        }
        return ByteRange.Parse(request.Range, content.Bytes) is { } part ? new(part.Offset, part.Bytes, Header(part.Offset, part.Bytes, content.Bytes)) : new(0, content.Bytes, null);
    }

    static async ValueTask<(long Offset, long Bytes)> Part(int number, StoredObject version, ContentKeeper keeper, CancellationToken cancel)
    {
        var content = version.Content!;
        if (content.Parts is null)
            return number == 1 ? (0, content.Bytes) : throw Refuse.InvalidPartNumber();
        var parts = await keeper.PartsOf(version.Account, content.Id, cancel);
        return number <= parts.Count ? (parts.Take(number - 1).Sum(p => p.Bytes), parts[number - 1].Bytes) : throw Refuse.InvalidPartNumber();
    }

    static string Header(long offset, long bytes, long all) => $"bytes {offset}-{offset + bytes - 1}/{all}";
}

sealed record ReadRequest : ObjectRequest
{
    [Query("versionId")]
    public string? VersionId { get; init; }
    [Query("partNumber"), Range(1, 10_000)]
    public int? PartNumber { get; init; }
    [Header("Range")]
    public string? Range { get; init; }
    [Header("If-Match")]
    public string? IfMatch { get; init; }
    [Header("If-None-Match")]
    public string? IfNoneMatch { get; init; }
    [Header("If-Modified-Since")]
    public string? IfModifiedSince { get; init; }
    [Header("If-Unmodified-Since")]
    public string? IfUnmodifiedSince { get; init; }
    [Query("response-content-type")]
    public string? ResponseContentType { get; init; }
    [Query("response-cache-control")]
    public string? ResponseCacheControl { get; init; }
    [Query("response-content-disposition")]
    public string? ResponseContentDisposition { get; init; }
    [Query("response-content-encoding")]
    public string? ResponseContentEncoding { get; init; }
    [Query("response-content-language")]
    public string? ResponseContentLanguage { get; init; }
    [Query("response-expires")]
    public string? ResponseExpires { get; init; }

    public Permission Permission() => new(VersionId is null ? "s3:GetObject" : "s3:GetObjectVersion", S3Api.Arn(Bucket, Key));

    public Conditions Conditions() => new(IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince);
}

sealed record ReadResponse : IStreamedResponse
{
    [StatusCode]
    public int Status { get; init; }
    [Header("ETag")]
    public required string ETag { get; init; }
    [Header("Last-Modified")]
    public DateTimeOffset? LastModified { get; init; }
    [Header("Accept-Ranges")]
    public string AcceptRanges { get; init; } = "bytes";
    [Header("Content-Range")]
    public string? ContentRange { get; init; }
    [Header("Content-Type")]
    public string? ContentType { get; init; }
    [Header("Cache-Control")]
    public string? CacheControl { get; init; }
    [Header("Content-Disposition")]
    public string? ContentDisposition { get; init; }
    [Header("Content-Encoding")]
    public string? ContentEncoding { get; init; }
    [Header("Content-Language")]
    public string? ContentLanguage { get; init; }
    [Header("Expires")]
    public string? Expires { get; init; }
    [Header("x-amz-version-id")]
    public string? VersionId { get; init; }
    [Header("x-amz-tagging-count")]
    public int? TagCount { get; init; }
    [Header("x-amz-mp-parts-count")]
    public int? PartsCount { get; init; }
    [Headers("x-amz-meta-")]
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
    [Headers("x-amz-checksum-")]
    public IReadOnlyDictionary<string, string>? Checksum { get; init; }
    [JsonIgnore]
    public Stream? Content { get; init; }
    [JsonIgnore]
    public long ContentLength { get; init; }

    public static ReadResponse Of(ReadRequest request, StoredObject version, bool unchanged, ReadChoice choice)
    {
        var (headers, content) = (version.Headers, version.Content!);
        return new()
        {
            Status = unchanged ? 304 : choice.ContentRange is null ? 200 : 206,
            ETag = Answers.Quoted(content.ETag),
            LastModified = version.Modified,
            ContentLength = choice.Bytes,
            ContentRange = choice.ContentRange,
            ContentType = request.ResponseContentType ?? headers.ContentType,
            CacheControl = request.ResponseCacheControl ?? headers.CacheControl,
            ContentDisposition = request.ResponseContentDisposition ?? headers.ContentDisposition,
            ContentEncoding = request.ResponseContentEncoding ?? headers.ContentEncoding,
            ContentLanguage = request.ResponseContentLanguage ?? headers.ContentLanguage,
            Expires = request.ResponseExpires ?? headers.Expires,
            VersionId = Answers.VersionId(version),
            TagCount = version.Tags?.Count,
            PartsCount = request.PartNumber is null ? null : content.Parts,
            Metadata = headers.Metadata,
            // Clients compare it with what they get, so only the whole may carry it.
            Checksum = !unchanged && choice.ContentRange is null && request.Amz.GetValueOrDefault("checksum-mode") == "ENABLED" ? Answers.Checksum(content) : null,
        };
    }
}
