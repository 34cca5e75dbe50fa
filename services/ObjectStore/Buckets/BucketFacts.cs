using System.Xml.Serialization;
using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Objects;
using Althing.Storage;

namespace Althing.ObjectStore.Buckets;

[Operation<S3Api>("HEAD /{Bucket}")]
sealed class HeadBucket(ObjectFinder finder) : Operation<BucketFactRequest, HeadBucketResponse>
{
    protected override Permission Needs(BucketFactRequest request, Caller caller) => new("s3:ListBucket", S3Api.Arn(request.Bucket));

    protected override async ValueTask<HeadBucketResponse> Run(BucketFactRequest request, Caller caller, CancellationToken cancel) =>
        new() { BucketRegion = (await finder.Bucket(caller, request, cancel)).Region };
}

[Operation<S3Api>("GET /{Bucket}?location")]
sealed class GetBucketLocation(ObjectFinder finder) : Operation<BucketFactRequest, LocationConstraint>
{
    protected override Permission Needs(BucketFactRequest request, Caller caller) => new("s3:GetBucketLocation", S3Api.Arn(request.Bucket));

    protected override async ValueTask<LocationConstraint> Run(BucketFactRequest request, Caller caller, CancellationToken cancel)
    {
        var region = (await finder.Bucket(caller, request, cancel)).Region;
        // The first region has no name here, for historical reasons.
        return new() { Text = region == "us-east-1" ? "" : region };
    }
}

[Operation<S3Api>("GET /{Bucket}?versioning")]
sealed class GetBucketVersioning(ObjectFinder finder) : Operation<BucketFactRequest, VersioningConfiguration>
{
    protected override Permission Needs(BucketFactRequest request, Caller caller) => new("s3:GetBucketVersioning", S3Api.Arn(request.Bucket));

    protected override async ValueTask<VersioningConfiguration> Run(BucketFactRequest request, Caller caller, CancellationToken cancel) =>
        new() { Status = (await finder.Bucket(caller, request, cancel)).Versioning };
}

[Operation<S3Api>("PUT /{Bucket}?versioning")]
sealed class PutBucketVersioning(IStore store, ObjectFinder finder, BucketStore buckets) : Operation<PutBucketVersioningRequest, EmptyResponse>
{
    protected override Permission Needs(PutBucketVersioningRequest request, Caller caller) => new("s3:PutBucketVersioning", S3Api.Arn(request.Bucket));

    protected override void Check(PutBucketVersioningRequest request)
    {
        if (request.Configuration.MfaDelete is not null and not "Disabled")
            throw Refuse.NotImplemented("MfaDelete");
        if (request.Configuration.Status is not (Bucket.Enabled or Bucket.Suspended))
            throw new ServiceException("IllegalVersioningConfigurationException", 400, "The Versioning element must be specified: its Status is Enabled or Suspended.");
    }

    protected override async ValueTask<EmptyResponse> Run(PutBucketVersioningRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var bucket = await buckets.Require(caller, request.Bucket, cancel);
        await store.Commit(new Batch().Replace(Bucket.Table, bucket, bucket.Value with { Versioning = request.Configuration.Status }), cancel);
        return EmptyResponse.Instance;
    }
}

[Operation<S3Api>("GET /{Bucket}?tagging")]
sealed class GetBucketTagging(ObjectFinder finder) : Operation<BucketFactRequest, Tagging>
{
    protected override Permission Needs(BucketFactRequest request, Caller caller) => new("s3:GetBucketTagging", S3Api.Arn(request.Bucket));

    protected override async ValueTask<Tagging> Run(BucketFactRequest request, Caller caller, CancellationToken cancel) =>
        (await finder.Bucket(caller, request, cancel)).Tags is { } tags ? Tagging.Of(tags) : throw Refuse.NoSuchTagSet(request.Bucket);
}

[Operation<S3Api>("PUT /{Bucket}?tagging", Status = 204)]
sealed class PutBucketTagging(IStore store, ObjectFinder finder, BucketStore buckets) : Operation<PutBucketTaggingRequest, EmptyResponse>
{
    protected override Permission Needs(PutBucketTaggingRequest request, Caller caller) => new("s3:PutBucketTagging", S3Api.Arn(request.Bucket));

    protected override void Check(PutBucketTaggingRequest request) => request.Tagging.Checked(Tagging.BucketTagsMax);

    protected override async ValueTask<EmptyResponse> Run(PutBucketTaggingRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var bucket = await buckets.Require(caller, request.Bucket, cancel);
        await store.Commit(new Batch().Replace(Bucket.Table, bucket, bucket.Value with { Tags = request.Tagging.Checked(Tagging.BucketTagsMax) }), cancel);
        return EmptyResponse.Instance;
    }
}

[Operation<S3Api>("DELETE /{Bucket}?tagging", Status = 204)]
sealed class DeleteBucketTagging(IStore store, ObjectFinder finder, BucketStore buckets) : Operation<DeleteBucketTaggingRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteBucketTaggingRequest request, Caller caller) => new("s3:PutBucketTagging", S3Api.Arn(request.Bucket));

    protected override async ValueTask<EmptyResponse> Run(DeleteBucketTaggingRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var bucket = await buckets.Require(caller, request.Bucket, cancel);
        await store.Commit(new Batch().Replace(Bucket.Table, bucket, bucket.Value with { Tags = null }), cancel);
        return EmptyResponse.Instance;
    }
}

[Operation<S3Api>("GET /")]
sealed class ListBuckets(BucketStore buckets, PageTokens tokens) : Operation<ListBucketsRequest, ListAllMyBucketsResult>
{
    const int SizeMax = 10_000;

    protected override Permission Needs(ListBucketsRequest request, Caller caller) => new("s3:ListAllMyBuckets", "*");

    protected override async ValueTask<ListAllMyBucketsResult> Run(ListBucketsRequest request, Caller caller, CancellationToken cancel)
    {
        var after = tokens.Open(caller, "s3:ListBuckets", request.ContinuationToken, _ => Refuse.InvalidArgument("The continuation token provided is incorrect"));
        var fitting = (await buckets.Of(caller.Account, cancel))
            .Where(b => b.Name.StartsWith(request.Prefix ?? "", StringComparison.Ordinal) && (request.BucketRegion is null || b.Region == request.BucketRegion))
            .Where(b => after is null || string.CompareOrdinal(b.Name, after) > 0).OrderBy(b => b.Name, StringComparer.Ordinal).ToList();
        var size = request.MaxBuckets ?? SizeMax;
        return new()
        {
            Owner = Answers.OwnerOf(caller.Account),
            Buckets = [.. fitting.Take(size).Select(b => new ListedBucket { Name = b.Name, CreationDate = b.CreatedAt, BucketRegion = b.Region })],
            Prefix = request.Prefix,
            ContinuationToken = fitting.Count > size ? tokens.Seal(caller, "s3:ListBuckets", fitting[size - 1].Name) : null,
        };
    }
}

sealed record BucketFactRequest : BucketRequest;

sealed record DeleteBucketTaggingRequest : BucketRequest;

sealed record HeadBucketResponse
{
    [Header("x-amz-bucket-region")]
    public string? BucketRegion { get; init; }
}

sealed record LocationConstraint
{
    /// <summary>The element's own text: it has no children.</summary>
    [XmlText]
    public required string Text { get; init; }
}

sealed record VersioningConfiguration
{
    public string? Status { get; init; }
    public string? MfaDelete { get; init; }
}

sealed record PutBucketVersioningRequest : BucketRequest
{
    [Payload]
    public required VersioningConfiguration Configuration { get; init; }
}

sealed record PutBucketTaggingRequest : BucketRequest
{
    [Payload]
    public required Tagging Tagging { get; init; }
}

sealed record ListBucketsRequest : S3Request
{
    [Query("max-buckets"), Range(1, 10_000)]
    public int? MaxBuckets { get; init; }
    [Query("continuation-token"), Length(0, 1024)]
    public string? ContinuationToken { get; init; }
    [Query("prefix")]
    public string? Prefix { get; init; }
    [Query("bucket-region")]
    public string? BucketRegion { get; init; }
}

sealed record ListAllMyBucketsResult
{
    public required Owner Owner { get; init; }
    [XmlArrayItem("Bucket")]
    public required IReadOnlyList<ListedBucket> Buckets { get; init; }
    public string? ContinuationToken { get; init; }
    public string? Prefix { get; init; }
}

sealed record ListedBucket
{
    public required string Name { get; init; }
    public required DateTimeOffset CreationDate { get; init; }
    public string? BucketRegion { get; init; }
}
