using System.Xml.Serialization;
using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Digests;
using Althing.ObjectStore.Objects;
using Althing.Storage;

namespace Althing.ObjectStore.Uploads;

[Operation<S3Api>("POST /{Bucket}/{Key+}?uploads")]
sealed class CreateMultipartUpload(ObjectFinder finder, IStore store, TimeProvider time) : Operation<CreateMultipartUploadRequest, InitiateMultipartUploadResult>
{
    protected override Permission Needs(CreateMultipartUploadRequest request, Caller caller) => request.Needs("s3:PutObject");

    protected override void Check(CreateMultipartUploadRequest request)
    {
        request.Check();
        if (request.Amz.GetValueOrDefault("checksum-algorithm") is { } name && ChecksumAlgorithm.Find(name) is null)
            throw Refuse.InvalidRequest($"The checksum algorithm '{name}' is not one of CRC32, CRC32C, CRC64NVME, SHA1, SHA256.");
        if (request.Amz.GetValueOrDefault("checksum-type") is { } type && !request.Algorithm.Allows(type))
            throw Refuse.InvalidRequest($"The {type} checksum type cannot be used with the {request.Algorithm.Name} checksum algorithm.");
    }

    protected override async ValueTask<InitiateMultipartUploadResult> Run(CreateMultipartUploadRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var chosen = request.Amz.ContainsKey("checksum-algorithm");
        var upload = new Upload
        {
            Account = caller.Account,
            Bucket = request.Bucket,
            Key = request.Key,
            Id = $"{Guid.CreateVersion7(time.GetUtcNow()):N}{System.Security.Cryptography.RandomNumberGenerator.GetHexString(32, lowercase: true)}",
            Begun = time.GetUtcNow(),
            Headers = request.Headers(),
            Tags = request.Tags(),
            Algorithm = request.Algorithm.Name,
            ChecksumType = request.Amz.GetValueOrDefault("checksum-type") ?? request.Algorithm.DefaultType,
            AlgorithmChosen = chosen,
        };
        await store.Commit(new Batch().Add(Upload.Table, upload), cancel);
        return new()
        {
            Bucket = upload.Bucket,
            Key = upload.Key,
            UploadId = upload.Id,
            ChecksumAlgorithm = chosen ? upload.Algorithm : null,
            ChecksumType = chosen ? upload.ChecksumType : null,
        };
    }
}

sealed record CreateMultipartUploadRequest : MakingRequest
{
    [System.Text.Json.Serialization.JsonIgnore]
    public ChecksumAlgorithm Algorithm => ChecksumAlgorithm.Find(Amz.GetValueOrDefault("checksum-algorithm")) ?? ChecksumAlgorithm.Default;
}

[XmlRoot("InitiateMultipartUploadResult")]
sealed record InitiateMultipartUploadResult
{
    public required string Bucket { get; init; }
    public required string Key { get; init; }
    public required string UploadId { get; init; }
    [Header("x-amz-checksum-algorithm")]
    public string? ChecksumAlgorithm { get; init; }
    [Header("x-amz-checksum-type")]
    public string? ChecksumType { get; init; }
}
