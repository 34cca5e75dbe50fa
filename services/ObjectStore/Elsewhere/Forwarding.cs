using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Buckets;
using Althing.ObjectStore.Listing;
using Althing.ObjectStore.Objects;
using Althing.ObjectStore.Uploads;

namespace Althing.ObjectStore.Elsewhere;

/// <summary>
/// The one place where it is decided whether a bucket is kept here or at another service. What concerns one that is kept there is carried
/// out there, after the caller was held against the platform's policies and the bucket found to be the caller's.
/// </summary>
/// <param name="store">The other service; null when there is none.</param>
sealed class Forwarding(ObjectFinder finder, BucketStore buckets, RemoteBuckets remoteBuckets, RemoteStore? store = null)
{
    /// <summary>What is said of a bucket in its row, wherever its objects are.</summary>
    static readonly HashSet<Type> OfTheRow = [typeof(HeadBucket), typeof(GetBucketLocation), typeof(GetBucketTagging), typeof(PutBucketTagging), typeof(DeleteBucketTagging)];

    /// <summary>The way to a bucket's objects when they are kept elsewhere; null when they are here.</summary>
    /// <exception cref="ServiceException">ServiceUnavailable: they are elsewhere, and the platform was not told where.</exception>
    public RemoteStore? WayTo(Bucket bucket) => !bucket.Elsewhere ? null : store
        ?? throw Refuse.ServiceUnavailable($"The bucket '{bucket.Name}' is kept at another service. The platform reaches it when it is started with --objects.");

    /// <summary>See <see cref="CarriedOutElsewhere"/>.</summary>
    public async ValueTask<object?> Forward(OperationInfo operation, object request, Caller caller, CancellationToken cancel)
    {
        if (request is not BucketRequest asked)
            return null;
        store?.RefuseOwn(asked);
        if (asked is CreateBucketRequest making)
            return store is null ? null : await remoteBuckets.Create(store, making, caller, cancel);
        var bucket = await finder.Bucket(caller, asked, cancel);
        await CheckSource(asked, bucket, caller, cancel);
        if (OfTheRow.Contains(operation.Type) || WayTo(bucket) is not { } way)
            return null;
        try
        {
            return asked switch
            {
                DeleteBucketRequest deleting => await remoteBuckets.Delete(way, deleting, cancel),
                DeleteObjectsRequest several => await Delete(way, operation, several, caller, cancel),
                _ => Ours(await way.Call(operation, asked, cancel), caller),
            };
        }
        catch (ServiceException missing) when (missing.Code is "NoSuchKey" or "NoSuchVersion" && !Authorization.Allows(new("s3:ListBucket", S3Api.Arn(asked.Bucket)), caller))
        {
            // Who may not list is not told what is there.
            throw Refuse.AccessDenied("Access Denied");
        }
    }

    /// <summary>The source of a copy must be the caller's too, and be kept where the copy will be.</summary>
    async ValueTask CheckSource(BucketRequest request, Bucket target, Caller caller, CancellationToken cancel)
    {
        if (request is not (CopyObjectRequest or UploadPartCopyRequest))
            return;
        var source = CopySource.Parse(request.Amz);
        var from = (await buckets.Require(caller, source.Bucket, cancel)).Value;
        if (request.Amz.TryGetValue("source-expected-bucket-owner", out var owner) && owner != caller.Account.Value)
            throw Refuse.AccessDenied("Access Denied");
        if (from.Elsewhere != target.Elsewhere)
            throw Refuse.InvalidRequest($"The bucket '{(from.Elsewhere ? from : target).Name}' is kept at another service and the other one is not: nothing is copied between them. Download the object and upload it.");
    }

    /// <summary>Each object is judged for itself; only those that the caller may delete are named to the other service.</summary>
    static async ValueTask<DeleteResult> Delete(RemoteStore way, OperationInfo operation, DeleteObjectsRequest request, Caller caller, CancellationToken cancel)
    {
        List<ObjectIdentifier> allowed = [];
        List<DeleteError> refused = [];
        foreach (var wanted in request.Delete.Objects)
        {
            try
            {
                wanted.Require(request.Bucket, caller);
                allowed.Add(wanted);
            }
            catch (ServiceException refusal)
            {
                refused.Add(wanted.Refused(refusal));
            }
        }
        var done = allowed.Count == 0 ? new() { Deleted = [], Errors = [] }
            : (DeleteResult)await way.Call(operation, request with { Delete = request.Delete with { Objects = allowed } }, cancel);
        return done with { Errors = [.. refused, .. done.Errors] };
    }

    /// <summary>An answer with what is the platform's in place of what is the other service's: owners and addresses.</summary>
    static object Ours(object answer, Caller caller)
    {
        var owner = Answers.OwnerOf(caller.Account);
        return answer switch
        {
            ListObjectsResult list => list with { Contents = [.. list.Contents.Select(o => o with { Owner = owner })] },
            ListObjectsV2Result list => list with { Contents = [.. list.Contents.Select(o => o.Owner is null ? o : o with { Owner = owner })] },
            ListVersionsResult list => list with
            {
                Versions = [.. list.Versions.Select(v => v with { Owner = owner })],
                DeleteMarkers = [.. list.DeleteMarkers.Select(m => m with { Owner = owner })],
            },
            ListMultipartUploadsResult list => list with { Uploads = [.. list.Uploads.Select(u => u with { Owner = owner, Initiator = owner })] },
            ListPartsResult list => list with { Owner = owner, Initiator = owner },
            CompleteMultipartUploadResult made => made with { Location = $"/{made.Bucket}/{made.Key}" },
            _ => answer,
        };
    }
}
