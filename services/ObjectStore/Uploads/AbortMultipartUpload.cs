using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Bytes;
using Althing.ObjectStore.Objects;
using Althing.Storage;

namespace Althing.ObjectStore.Uploads;

[Operation<S3Api>("DELETE /{Bucket}/{Key+}?uploadId", Status = 204)]
sealed class AbortMultipartUpload(ObjectFinder finder, UploadStore uploads, IStore store, ContentKeeper keeper) : Operation<AbortMultipartUploadRequest, EmptyResponse>
{
    protected override Permission Needs(AbortMultipartUploadRequest request, Caller caller) => new("s3:AbortMultipartUpload", S3Api.Arn(request.Bucket, request.Key));

    protected override async ValueTask<EmptyResponse> Run(AbortMultipartUploadRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var upload = await uploads.Require(caller.Account, request.Bucket, request.Key, request.UploadId, cancel);
        await store.Commit(new Batch().Delete(Upload.Table, upload), cancel);
        await keeper.RemoveParts(caller.Account, request.UploadId);
        return EmptyResponse.Instance;
    }
}

sealed record AbortMultipartUploadRequest : UploadRequest;
