using Althing.Storage;

namespace Althing.ObjectStore.Uploads;

/// <summary>Finds multipart uploads.</summary>
sealed class UploadStore(IStore store)
{
    /// <exception cref="Althing.Api.ServiceException">NoSuchUpload.</exception>
    public async ValueTask<Row<Upload>> Require(AccountId account, string bucket, string key, string id, CancellationToken cancel) =>
        await store.Get(Upload.Table, account, Upload.KeyOf(bucket, key, id), cancel) ?? throw Refuse.NoSuchUpload(id);
}

/// <summary>A request about an upload.</summary>
abstract record UploadRequest : ObjectRequest
{
    [Althing.Api.Query("uploadId")]
    public required string UploadId { get; init; }
}
