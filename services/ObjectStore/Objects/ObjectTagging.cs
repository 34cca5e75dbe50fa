using Althing.Api;
using Althing.Identity;

namespace Althing.ObjectStore.Objects;

[Operation<S3Api>("GET /{Bucket}/{Key+}?tagging")]
sealed class GetObjectTagging(ObjectFinder finder) : Operation<ObjectTaggingRequest, TaggingAnswer>
{
    protected override Permission Needs(ObjectTaggingRequest request, Caller caller) => request.Needs("Get");

    protected override async ValueTask<TaggingAnswer> Run(ObjectTaggingRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var version = await finder.Require(caller, request.Bucket, request.Key, request.VersionId, cancel);
        return new() { TagSet = Tagging.Of(version.Tags).TagSet, VersionId = Answers.VersionId(version) };
    }
}

[Operation<S3Api>("PUT /{Bucket}/{Key+}?tagging")]
sealed class PutObjectTagging(ObjectFinder finder, ObjectShelf shelf) : Operation<PutObjectTaggingRequest, ObjectTaggingResponse>
{
    protected override Permission Needs(PutObjectTaggingRequest request, Caller caller) => request.Needs("Put");

    protected override void Check(PutObjectTaggingRequest request) => request.Tagging.Checked(Tagging.ObjectTagsMax);

    protected override async ValueTask<ObjectTaggingResponse> Run(PutObjectTaggingRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var version = await finder.Require(caller, request.Bucket, request.Key, request.VersionId, cancel);
        await shelf.Change(caller.Account, request.Bucket, request.Key, version.VersionId, v => v with { Tags = request.Tagging.Checked(Tagging.ObjectTagsMax) }, cancel);
        return new() { VersionId = Answers.VersionId(version) };
    }
}

[Operation<S3Api>("DELETE /{Bucket}/{Key+}?tagging", Status = 204)]
sealed class DeleteObjectTagging(ObjectFinder finder, ObjectShelf shelf) : Operation<ObjectTaggingRequest, ObjectTaggingResponse>
{
    protected override Permission Needs(ObjectTaggingRequest request, Caller caller) => request.Needs("Delete");

    protected override async ValueTask<ObjectTaggingResponse> Run(ObjectTaggingRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var version = await finder.Require(caller, request.Bucket, request.Key, request.VersionId, cancel);
        await shelf.Change(caller.Account, request.Bucket, request.Key, version.VersionId, v => v with { Tags = null }, cancel);
        return new() { VersionId = Answers.VersionId(version) };
    }
}

record ObjectTaggingRequest : ObjectRequest
{
    [Query("versionId")]
    public string? VersionId { get; init; }

    public Permission Needs(string verb) => new($"s3:{verb}Object{(VersionId is null ? "" : "Version")}Tagging", S3Api.Arn(Bucket, Key));
}

sealed record PutObjectTaggingRequest : ObjectTaggingRequest
{
    [Payload]
    public required Tagging Tagging { get; init; }
}

[System.Xml.Serialization.XmlRoot("Tagging")]
sealed record TaggingAnswer
{
    [System.Xml.Serialization.XmlArrayItem("Tag")]
    public required IReadOnlyList<Tag> TagSet { get; init; }
    [Header("x-amz-version-id")]
    public string? VersionId { get; init; }
}

sealed record ObjectTaggingResponse
{
    [Header("x-amz-version-id")]
    public string? VersionId { get; init; }
}
