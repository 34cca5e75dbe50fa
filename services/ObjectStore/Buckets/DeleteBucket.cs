using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Bytes;
using Althing.ObjectStore.Objects;
using Althing.ObjectStore.Uploads;
using Althing.Storage;

namespace Althing.ObjectStore.Buckets;

[Operation<S3Api>("DELETE /{Bucket}", Status = 204)]
sealed class DeleteBucket(IStore store, ObjectFinder finder, BucketStore buckets, ContentKeeper keeper) : Operation<DeleteBucketRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteBucketRequest request, Caller caller) => new("s3:DeleteBucket", S3Api.Arn(request.Bucket));

    protected override async ValueTask<EmptyResponse> Run(DeleteBucketRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var bucket = await buckets.Require(caller, request.Bucket, cancel);
        // Closed first: whoever puts an object now finds the bucket changed, and then gone.
        await store.Commit(new Batch().Replace(Bucket.Table, bucket, bucket.Value with { Closing = true }), cancel);
        var closed = await buckets.Require(caller, request.Bucket, cancel);
        if ((await store.Scan(StoredObject.Latest, caller.Account, Scan.Under(Key.Prefix(request.Bucket)) with { Limit = 1 }, cancel)).Count > 0)
        {
            await store.Commit(new Batch().Replace(Bucket.Table, closed, closed.Value with { Closing = false }), cancel);
            throw Refuse.BucketNotEmpty(request.Bucket);
        }
        var uploads = await store.Scan(Upload.Table, caller.Account, Scan.Under(Key.Prefix(request.Bucket)), cancel);
        var batch = new Batch().Delete(Bucket.Table, closed);
        foreach (var upload in uploads)
            batch.Delete(Upload.Table, caller.Account, upload.Key);
        await store.Commit(batch, cancel);
        foreach (var upload in uploads)
            await keeper.RemoveParts(caller.Account, upload.Value.Id);
        return EmptyResponse.Instance;
    }
}

sealed record DeleteBucketRequest : BucketRequest;
