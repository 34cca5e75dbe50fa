using Althing.Api;
using Althing.Identity;

namespace Althing.ObjectStore.Objects;

[Operation<S3Api>("DELETE /{Bucket}/{Key+}", Status = 204)]
sealed class DeleteObject(ObjectFinder finder, ObjectShelf shelf) : Operation<DeleteObjectRequest, DeleteObjectResponse>
{
    protected override Permission Needs(DeleteObjectRequest request, Caller caller) =>
        new(request.VersionId is null ? "s3:DeleteObject" : "s3:DeleteObjectVersion", S3Api.Arn(request.Bucket, request.Key));

    protected override void Check(DeleteObjectRequest request)
    {
        StoredObject.CheckKey(request.Key);
        if (request.IfMatch is not null)
            throw Refuse.NotImplemented("If-Match when deleting");
    }

    protected override async ValueTask<DeleteObjectResponse> Run(DeleteObjectRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        if (request.VersionId is { } version)
        {
            var gone = await shelf.DeleteVersion(caller.Account, request.Bucket, request.Key, version, cancel);
            return new() { VersionId = version, DeleteMarker = gone?.IsMarker == true ? true : null };
        }
        var marker = await shelf.Delete(caller.Account, request.Bucket, request.Key, cancel);
        return new() { VersionId = marker is null ? null : marker.VersionId, DeleteMarker = marker is null ? null : true };
    }
}

sealed record DeleteObjectRequest : ObjectRequest
{
    [Query("versionId")]
    public string? VersionId { get; init; }
    [Header("If-Match")]
    public string? IfMatch { get; init; }
}

sealed record DeleteObjectResponse
{
    [Header("x-amz-version-id")]
    public string? VersionId { get; init; }
    [Header("x-amz-delete-marker")]
    public bool? DeleteMarker { get; init; }
}
