using System.Security.Cryptography;
using System.Xml.Serialization;
using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Bytes;
using Althing.ObjectStore.Digests;
using Althing.ObjectStore.Objects;
using Althing.Storage;

namespace Althing.ObjectStore.Uploads;

/// <summary>The parts stay where they are: the object names the upload, and its bytes are those of its parts one behind the other.</summary>
[Operation<S3Api>("POST /{Bucket}/{Key+}?uploadId")]
sealed class CompleteMultipartUpload(ObjectFinder finder, ObjectShelf shelf, ContentKeeper keeper, IStore store)
    : Operation<CompleteMultipartUploadRequest, CompleteMultipartUploadResult>
{
    const long PartBytesMin = 5 << 20;

    /// <remarks>"Amazon S3 multipart upload limits" (Amazon S3 User Guide).</remarks>
    const int PartsMax = 10_000;

    protected override Permission Needs(CompleteMultipartUploadRequest request, Caller caller) => new("s3:PutObject", S3Api.Arn(request.Bucket, request.Key));

    protected override void Check(CompleteMultipartUploadRequest request)
    {
        if (request.Parts.Parts is not { Count: > 0 and <= PartsMax } parts)
            throw Refuse.MalformedXml($"An upload is completed with 1 to {PartsMax} parts.");
        for (var i = 1; i < parts.Count; i++)
        {
            if (parts[i].PartNumber <= parts[i - 1].PartNumber)
                throw Refuse.InvalidPartOrder();
        }
    }

    protected override async ValueTask<CompleteMultipartUploadResult> Run(CompleteMultipartUploadRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        if (await store.Get(Upload.Table, caller.Account, Upload.KeyOf(request.Bucket, request.Key, request.UploadId), cancel) is not { } upload)
            return await Again(request, caller, cancel);
        var rows = await store.Scan(Part.Table, caller.Account, Scan.Under(Key.Prefix(request.UploadId)), cancel);
        var parts = Chosen(request, upload.Value, rows);
        var content = ContentOf(upload.Value, [.. parts.Select(p => p.Value)], request.Amz);
        var left = rows.Where(r => parts.All(p => p.Key != r.Key)).ToList();
        var draft = new StoredObject
        {
            Account = caller.Account, Bucket = request.Bucket, Key = request.Key, Headers = upload.Value.Headers, Tags = upload.Value.Tags, Content = content,
        };
        var condition = Conditions.ForWriting(request.Key, request.IfMatch, request.IfNoneMatch);
        var made = await shelf.Put(draft, condition, batch =>
        {
            batch.Delete(Upload.Table, upload);
            foreach (var part in parts)
                batch.Require(Part.Table, part);
            foreach (var part in left)
                batch.Delete(Part.Table, part);
        }, cancel);
        foreach (var part in left)
            await keeper.Remove(caller.Account, part.Value.Blob);
        return Answer(made);
    }

    /// <summary>A client that did not get the answer asks again, and gets it.</summary>
    async ValueTask<CompleteMultipartUploadResult> Again(CompleteMultipartUploadRequest request, Caller caller, CancellationToken cancel) =>
        await shelf.Find(caller.Account, request.Bucket, request.Key, null, cancel) is { Row.Value: { IsMarker: false } there } && there.Content!.Id == request.UploadId
            ? Answer(there) : throw Refuse.NoSuchUpload(request.UploadId);

    static List<Row<Part>> Chosen(CompleteMultipartUploadRequest request, Upload upload, IReadOnlyList<Row<Part>> rows)
    {
        var byNumber = rows.ToDictionary(r => r.Value.Number);
        List<Row<Part>> parts = [];
        foreach (var wanted in request.Parts.Parts)
        {
            if (!byNumber.TryGetValue(wanted.PartNumber, out var row) || row.Value.ETag != wanted.ETag?.Trim('"'))
                throw Refuse.InvalidPart(wanted.PartNumber);
            if (wanted.ChecksumFor(upload.Algorithm) is { } checksum && checksum != row.Value.Checksum)
                throw Refuse.InvalidPart(wanted.PartNumber);
            parts.Add(row);
        }
        if (parts.SkipLast(1).FirstOrDefault(p => p.Value.Bytes < PartBytesMin) is { Value: { } small })
            throw Refuse.EntityTooSmall(small.Number, small.Bytes);
        return parts;
    }

    static ObjectContent ContentOf(Upload upload, IReadOnlyList<Part> parts, IReadOnlyDictionary<string, string> headers)
    {
        var algorithm = ChecksumAlgorithm.Find(upload.Algorithm)!;
        if (headers.GetValueOrDefault("checksum-type") is { } type && type != upload.ChecksumType)
            throw Refuse.InvalidRequest($"The upload was created with the checksum type {upload.ChecksumType}; it cannot be completed with {type}.");
        var checksum = algorithm.OfParts([.. parts.Select(p => (p.Checksum, p.Bytes))], upload.ChecksumType);
        if (headers.GetValueOrDefault("checksum-" + algorithm.HeaderName) is { } declared && declared != checksum && declared + $"-{parts.Count}" != checksum)
            throw Refuse.BadDigest(algorithm.Name);
        var bytes = parts.Sum(p => p.Bytes);
        if (headers.GetValueOrDefault("mp-object-size") is { } size && size != $"{bytes}")
            throw Refuse.InvalidRequest($"The provided 'x-amz-mp-object-size' header value {size} does not match what was computed: {bytes}.");
#pragma warning disable CA5351 // An entity tag, no protection.
        var etag = Convert.ToHexStringLower(MD5.HashData(parts.SelectMany(p => Convert.FromHexString(p.ETag)).ToArray()));
#pragma warning restore CA5351
        return new()
        {
            Id = upload.Id,
            Bytes = bytes,
            ETag = $"{etag}-{parts.Count}",
            Parts = parts.Count,
            Algorithm = upload.Algorithm,
            Checksum = checksum,
            ChecksumType = upload.ChecksumType,
        };
    }

    static CompleteMultipartUploadResult Answer(StoredObject made) => new()
    {
        Location = $"/{made.Bucket}/{made.Key}",
        Bucket = made.Bucket,
        Key = made.Key,
        ETag = Answers.Quoted(made.Content!.ETag),
        VersionId = Answers.VersionId(made),
        ChecksumCRC32 = Checksum(made, "CRC32"),
        ChecksumCRC32C = Checksum(made, "CRC32C"),
        ChecksumCRC64NVME = Checksum(made, "CRC64NVME"),
        ChecksumSHA1 = Checksum(made, "SHA1"),
        ChecksumSHA256 = Checksum(made, "SHA256"),
        ChecksumType = made.Content.ChecksumType,
    };

    static string? Checksum(StoredObject made, string algorithm) => made.Content!.Algorithm == algorithm ? made.Content.Checksum : null;
}

sealed record CompleteMultipartUploadRequest : UploadRequest
{
    [Payload]
    public required CompletedParts Parts { get; init; }
    [Header("If-Match")]
    public string? IfMatch { get; init; }
    [Header("If-None-Match")]
    public string? IfNoneMatch { get; init; }
}

[XmlRoot("CompleteMultipartUpload")]
sealed record CompletedParts
{
    [XmlElement("Part"), System.Text.Json.Serialization.JsonPropertyName("Part")]
    public IReadOnlyList<CompletedPart> Parts { get; init; } = [];
}

sealed record CompletedPart
{
    public required int PartNumber { get; init; }
    public required string ETag { get; init; }
    public string? ChecksumCRC32 { get; init; }
    public string? ChecksumCRC32C { get; init; }
    public string? ChecksumCRC64NVME { get; init; }
    public string? ChecksumSHA1 { get; init; }
    public string? ChecksumSHA256 { get; init; }

    public string? ChecksumFor(string algorithm) => algorithm switch
    {
        "CRC32" => ChecksumCRC32,
        "CRC32C" => ChecksumCRC32C,
        "CRC64NVME" => ChecksumCRC64NVME,
        "SHA1" => ChecksumSHA1,
        _ => ChecksumSHA256,
    };
}

[XmlRoot("CompleteMultipartUploadResult")]
sealed record CompleteMultipartUploadResult
{
    public required string Location { get; init; }
    public required string Bucket { get; init; }
    public required string Key { get; init; }
    public required string ETag { get; init; }
    public string? ChecksumCRC32 { get; init; }
    public string? ChecksumCRC32C { get; init; }
    public string? ChecksumCRC64NVME { get; init; }
    public string? ChecksumSHA1 { get; init; }
    public string? ChecksumSHA256 { get; init; }
    public string? ChecksumType { get; init; }
    [Header("x-amz-version-id")]
    public string? VersionId { get; init; }
}
