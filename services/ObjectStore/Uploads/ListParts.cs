using System.Xml.Serialization;
using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Bytes;
using Althing.ObjectStore.Objects;

namespace Althing.ObjectStore.Uploads;

[Operation<S3Api>("GET /{Bucket}/{Key+}?uploadId")]
sealed class ListParts(ObjectFinder finder, UploadStore uploads, ContentKeeper keeper) : Operation<ListPartsRequest, ListPartsResult>
{
    const int SizeMax = 1000;

    protected override Permission Needs(ListPartsRequest request, Caller caller) => new("s3:ListMultipartUploadParts", S3Api.Arn(request.Bucket, request.Key));

    protected override async ValueTask<ListPartsResult> Run(ListPartsRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var upload = (await uploads.Require(caller.Account, request.Bucket, request.Key, request.UploadId, cancel)).Value;
        var size = Math.Min(request.MaxParts ?? SizeMax, SizeMax);
        var rest = (await keeper.PartsOf(caller.Account, upload.Id, cancel)).Where(p => p.Number > (request.PartNumberMarker ?? 0)).ToList();
        return new()
        {
            Bucket = request.Bucket,
            Key = request.Key,
            UploadId = upload.Id,
            PartNumberMarker = request.PartNumberMarker ?? 0,
            NextPartNumberMarker = rest.Take(size).LastOrDefault()?.Number,
            MaxParts = size,
            IsTruncated = size > 0 && rest.Count > size,
            Parts = [.. rest.Take(size).Select(p => ListedPart.Of(p, upload))],
            Owner = Answers.OwnerOf(caller.Account),
            Initiator = Answers.OwnerOf(caller.Account),
            ChecksumAlgorithm = upload.AlgorithmChosen ? upload.Algorithm : null,
            ChecksumType = upload.AlgorithmChosen ? upload.ChecksumType : null,
        };
    }
}

sealed record ListPartsRequest : UploadRequest
{
    [Query("max-parts"), Range(0)]
    public int? MaxParts { get; init; }
    [Query("part-number-marker"), Range(0)]
    public int? PartNumberMarker { get; init; }
}

[XmlRoot("ListPartsResult")]
sealed record ListPartsResult
{
    public required string Bucket { get; init; }
    public required string Key { get; init; }
    public required string UploadId { get; init; }
    public required int PartNumberMarker { get; init; }
    public int? NextPartNumberMarker { get; init; }
    public required int MaxParts { get; init; }
    public required bool IsTruncated { get; init; }
    [XmlElement("Part")]
    public required IReadOnlyList<ListedPart> Parts { get; init; }
    public required Owner Owner { get; init; }
    public required Owner Initiator { get; init; }
    public string StorageClass { get; init; } = "STANDARD";
    public string? ChecksumAlgorithm { get; init; }
    public string? ChecksumType { get; init; }
}

sealed record ListedPart
{
    public required int PartNumber { get; init; }
    public required DateTimeOffset LastModified { get; init; }
    public required string ETag { get; init; }
    public required long Size { get; init; }
    public string? ChecksumCRC32 { get; init; }
    public string? ChecksumCRC32C { get; init; }
    public string? ChecksumCRC64NVME { get; init; }
    public string? ChecksumSHA1 { get; init; }
    public string? ChecksumSHA256 { get; init; }

    public static ListedPart Of(Part part, Upload upload)
    {
        string? If(string algorithm) => upload.Algorithm == algorithm ? part.Checksum : null;
        return new()
        {
            PartNumber = part.Number,
            LastModified = part.Modified,
            ETag = Answers.Quoted(part.ETag),
            Size = part.Bytes,
            ChecksumCRC32 = If("CRC32"),
            ChecksumCRC32C = If("CRC32C"),
            ChecksumCRC64NVME = If("CRC64NVME"),
            ChecksumSHA1 = If("SHA1"),
            ChecksumSHA256 = If("SHA256"),
        };
    }
}
