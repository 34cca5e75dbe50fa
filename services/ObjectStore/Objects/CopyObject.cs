using System.Xml.Serialization;
using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Digests;

namespace Althing.ObjectStore.Objects;

[Operation<S3Api>("PUT /{Bucket}/{Key+}", NeedsHeader = "x-amz-copy-source")]
sealed class CopyObject(ObjectFinder finder, ObjectWriter writer) : Operation<CopyObjectRequest, CopyObjectResult>
{
    protected override Permission Needs(CopyObjectRequest request, Caller caller)
    {
        var put = request.Needs("s3:PutObject");
        return CopySource.Parse(request.Amz).Needs() with { And = put };
    }

    protected override void Check(CopyObjectRequest request)
    {
        request.Check();
        var source = CopySource.Parse(request.Amz);
        if (request.Directive("metadata") == "COPY" && source is { VersionId: null } && (source.Bucket, source.Key) == (request.Bucket, request.Key))
            throw Refuse.InvalidRequest("This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata.");
        if (request.Algorithm is { } name && ChecksumAlgorithm.Find(name) is null)
            throw Refuse.InvalidRequest($"The checksum algorithm '{name}' is not one of CRC32, CRC32C, CRC64NVME, SHA1, SHA256.");
    }

    protected override async ValueTask<CopyObjectResult> Run(CopyObjectRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var source = CopySource.Parse(request.Amz);
        var (version, _, content) = await finder.Open(caller, source.Bucket, source.Key, source.VersionId, found =>
        {
            CopySource.Conditions(request.Amz).CheckAll(found);
            CopySource.CheckLength(found.Content!.Bytes);
            return new((0, found.Content.Bytes));
        }, cancel);
        await using var bytes = content!;
        var draft = new StoredObject
        {
            Account = caller.Account,
            Bucket = request.Bucket,
            Key = request.Key,
            Headers = request.Directive("metadata") == "REPLACE" ? request.Headers() : version.Headers,
            Tags = request.Directive("tagging") == "REPLACE" ? request.Tags() : version.Tags,
        };
        var algorithm = ChecksumAlgorithm.Find(request.Algorithm ?? version.Content!.Algorithm)!;
        var made = await writer.Put(draft, bytes, version.Content!.Bytes, algorithm, null, Conditions.ForWriting(request.Key, request.IfMatch, request.IfNoneMatch), cancel);
        return new() { ETag = Answers.Quoted(made.Content!.ETag), LastModified = made.Modified, VersionId = Answers.VersionId(made), SourceVersionId = Answers.VersionId(version) };
    }
}

sealed record CopyObjectRequest : MakingRequest
{
    [Header("If-Match")]
    public string? IfMatch { get; init; }
    [Header("If-None-Match")]
    public string? IfNoneMatch { get; init; }

    [System.Text.Json.Serialization.JsonIgnore]
    public string? Algorithm => Amz.GetValueOrDefault("checksum-algorithm");

    /// <summary>Whether metadata or tags come from the source (COPY) or from the request (REPLACE).</summary>
    public string Directive(string of) => Amz.GetValueOrDefault(of + "-directive") switch
    {
        null or "COPY" => "COPY",
        "REPLACE" => "REPLACE",
        var other => throw Refuse.InvalidArgument($"Unknown {of} directive '{other}': COPY and REPLACE are known."),
    };
}

[XmlRoot("CopyObjectResult")]
sealed record CopyObjectResult
{
    public required string ETag { get; init; }
    public required DateTimeOffset LastModified { get; init; }
    [Header("x-amz-version-id")]
    public string? VersionId { get; init; }
    [Header("x-amz-copy-source-version-id")]
    public string? SourceVersionId { get; init; }
}
