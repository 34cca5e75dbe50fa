using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.ObjectStore.Buckets;

[Operation<S3Api>("PUT /{Bucket}")]
sealed class CreateBucket(IStore store, TimeProvider time) : Operation<CreateBucketRequest, CreateBucketResponse>
{
    protected override Permission Needs(CreateBucketRequest request, Caller caller) => new("s3:CreateBucket", S3Api.Arn(request.Bucket));

    protected override void Check(CreateBucketRequest request)
    {
        Unserved.Check(request.Amz);
        if (!Bucket.IsName(request.Bucket))
            throw Refuse.InvalidBucketName(request.Bucket);
        request.Configuration?.Tags?.Checked(Tagging.BucketTagsMax);
    }

    protected override async ValueTask<CreateBucketResponse> Run(CreateBucketRequest request, Caller caller, CancellationToken cancel)
    {
        if (await store.Get(Bucket.Table, AccountId.Platform, request.Bucket, cancel) is { Value: var there })
            throw there.Owner == caller.Account ? Refuse.BucketAlreadyOwnedByYou(request.Bucket) : Refuse.BucketAlreadyExists(request.Bucket);
        await store.Commit(new Batch().Add(Bucket.Table, RowOf(request, caller, time)), cancel);
        return new() { Location = "/" + request.Bucket };
    }

    public static Bucket RowOf(CreateBucketRequest request, Caller caller, TimeProvider time) => new()
    {
        Name = request.Bucket,
        Owner = caller.Account,
        Region = request.Configuration?.LocationConstraint is { Length: > 0 } region ? region : caller.Region,
        CreatedAt = time.GetUtcNow(),
        Tags = request.Configuration?.Tags?.Checked(Tagging.BucketTagsMax),
    };
}

sealed record CreateBucketRequest : BucketRequest
{
    [Payload]
    public CreateBucketConfiguration? Configuration { get; init; }
}

sealed record CreateBucketConfiguration
{
    [Length(0, 64)]
    public string? LocationConstraint { get; init; }
    [System.Xml.Serialization.XmlArrayItem("Tag"), System.Text.Json.Serialization.JsonPropertyName("Tags")]
    public IReadOnlyList<Tag>? TagList { get; init; }

    [System.Text.Json.Serialization.JsonIgnore]
    public Tagging? Tags => TagList is null ? null : new Tagging { TagSet = TagList };
}

sealed record CreateBucketResponse
{
    [Header("Location")]
    public string? Location { get; init; }
}
