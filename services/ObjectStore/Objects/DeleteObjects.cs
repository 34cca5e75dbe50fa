using System.Collections.Concurrent;
using System.Xml.Serialization;
using Althing.Api;
using Althing.Identity;

namespace Althing.ObjectStore.Objects;

[Operation<S3Api>("POST /{Bucket}?delete")]
sealed class DeleteObjects(ObjectFinder finder, ObjectShelf shelf) : Operation<DeleteObjectsRequest, DeleteResult>
{
    const int KeysMax = 1000;

    /// <summary>So many at once, because they share disk writes.</summary>
    const int AtOnce = 32;

    /// <summary>Each object is judged for itself below.</summary>
    protected override Permission Needs(DeleteObjectsRequest request, Caller caller) => Permission.None;

    protected override void Check(DeleteObjectsRequest request)
    {
        if (request.Delete.Objects is not { Count: > 0 and <= KeysMax })
            throw Refuse.MalformedXml($"A request deletes 1 to {KeysMax} objects.");
    }

    protected override async ValueTask<DeleteResult> Run(DeleteObjectsRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var results = new object[request.Delete.Objects.Count];
        // A key named twice is deleted twice, in order.
        var byKey = request.Delete.Objects.Select((o, i) => (Object: o, Index: i)).GroupBy(o => o.Object.Key, StringComparer.Ordinal);
        await Parallel.ForEachAsync(byKey, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel }, async (same, stop) =>
        {
            foreach (var (wanted, index) in same)
                results[index] = await Delete(request.Bucket, wanted, caller, stop);
        });
        return new()
        {
            Deleted = request.Delete.Quiet == true ? [] : [.. results.OfType<DeletedObject>()],
            Errors = [.. results.OfType<DeleteError>()],
        };
    }

    async ValueTask<object> Delete(string bucket, ObjectIdentifier wanted, Caller caller, CancellationToken cancel)
    {
        try
        {
            wanted.Require(bucket, caller);
            if (wanted.VersionId is { } version)
            {
                var gone = await shelf.DeleteVersion(caller.Account, bucket, wanted.Key, version, cancel);
                return new DeletedObject { Key = wanted.Key, VersionId = version, DeleteMarker = gone?.IsMarker == true ? true : null, DeleteMarkerVersionId = gone?.IsMarker == true ? version : null };
            }
            var marker = await shelf.Delete(caller.Account, bucket, wanted.Key, cancel);
            return new DeletedObject { Key = wanted.Key, DeleteMarker = marker is null ? null : true, DeleteMarkerVersionId = marker?.VersionId };
        }
        catch (ServiceException refusal)
        {
            return wanted.Refused(refusal);
        }
    }
}

sealed record DeleteObjectsRequest : BucketRequest
{
    [Payload]
    public required DeleteList Delete { get; init; }
}

[XmlRoot("Delete")]
sealed record DeleteList
{
    [XmlElement("Object")]
    public required IReadOnlyList<ObjectIdentifier> Objects { get; init; }
    public bool? Quiet { get; init; }
}

sealed record ObjectIdentifier
{
    public required string Key { get; init; }
    public string? VersionId { get; init; }

    /// <exception cref="ServiceException">There can be no such key, or the caller may not delete it.</exception>
    public void Require(string bucket, Caller caller)
    {
        StoredObject.CheckKey(Key);
        if (!Authorization.Allows(new(VersionId is null ? "s3:DeleteObject" : "s3:DeleteObjectVersion", S3Api.Arn(bucket, Key)), caller))
            throw Refuse.AccessDenied("Access Denied");
    }

    public DeleteError Refused(ServiceException refusal) => new() { Key = Key, VersionId = VersionId, Code = refusal.Code, Message = refusal.Message };
}

sealed record DeleteResult
{
    [XmlElement("Deleted")]
    public required IReadOnlyList<DeletedObject> Deleted { get; init; }
    [XmlElement("Error")]
    public required IReadOnlyList<DeleteError> Errors { get; init; }
}

sealed record DeletedObject
{
    public required string Key { get; init; }
    public string? VersionId { get; init; }
    public bool? DeleteMarker { get; init; }
    public string? DeleteMarkerVersionId { get; init; }
}

sealed record DeleteError
{
    public required string Key { get; init; }
    public string? VersionId { get; init; }
    public required string Code { get; init; }
    public required string Message { get; init; }
}
