using System.Text.Json.Serialization;
using System.Xml.Serialization;
using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Bytes;
using Althing.ObjectStore.Digests;
using Althing.ObjectStore.Objects;
using Althing.Storage;

namespace Althing.ObjectStore.Uploads;

[Operation<S3Api>("PUT /{Bucket}/{Key+}?partNumber&uploadId")]
sealed class UploadPart(ObjectFinder finder, UploadStore uploads, PartWriter writer) : Operation<UploadPartRequest, UploadPartResponse>
{
    protected override Permission Needs(UploadPartRequest request, Caller caller) => new("s3:PutObject", S3Api.Arn(request.Bucket, request.Key));

    protected override void Check(UploadPartRequest request) => Unserved.Check(request.Amz);

    protected override async ValueTask<UploadPartResponse> Run(UploadPartRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var upload = await uploads.Require(caller.Account, request.Bucket, request.Key, request.UploadId, cancel);
        var content = request.Content ?? throw Refuse.InvalidRequest("Parts are put through the door.");
        var declared = new DeclaredDigests(content, request.ContentMD5, request.Amz, upload.Value.AlgorithmChosen ? ChecksumAlgorithm.Find(upload.Value.Algorithm) : null);
        // The whole's checksum is made of the parts', so all have the upload's; what a client sends besides is compared and forgotten.
        var part = await writer.Write(upload.Value, request.PartNumber, content.Stream, content.Length, declared, cancel);
        return new() { ETag = Answers.Quoted(part.ETag), Checksum = new Dictionary<string, string> { [ChecksumAlgorithm.Find(upload.Value.Algorithm)!.HeaderName] = part.Checksum } };
    }
}

[Operation<S3Api>("PUT /{Bucket}/{Key+}?partNumber&uploadId", NeedsHeader = "x-amz-copy-source")]
sealed class UploadPartCopy(ObjectFinder finder, UploadStore uploads, PartWriter writer) : Operation<UploadPartCopyRequest, CopyPartResult>
{
    protected override Permission Needs(UploadPartCopyRequest request, Caller caller) =>
        CopySource.Parse(request.Amz).Needs() with { And = new("s3:PutObject", S3Api.Arn(request.Bucket, request.Key)) };

    protected override void Check(UploadPartCopyRequest request) => Unserved.Check(request.Amz);

    protected override async ValueTask<CopyPartResult> Run(UploadPartCopyRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var upload = await uploads.Require(caller.Account, request.Bucket, request.Key, request.UploadId, cancel);
        var source = CopySource.Parse(request.Amz);
        var (version, chosen, content) = await finder.Open(caller, source.Bucket, source.Key, source.VersionId, found =>
        {
            CopySource.Conditions(request.Amz).CheckAll(found);
            var (offset, length) = RangeOf(request.Amz.GetValueOrDefault("copy-source-range"), found.Content!.Bytes);
            CopySource.CheckLength(length);
            return new((offset, length));
        }, cancel);
        await using var bytes = content!;
        var part = await writer.Write(upload.Value, request.PartNumber, bytes, chosen!.Value.Bytes, null, cancel);
        return new() { ETag = Answers.Quoted(part.ETag), LastModified = part.Modified, SourceVersionId = Answers.VersionId(version) };
    }

    static (long Offset, long Bytes) RangeOf(string? range, long bytes)
    {
        if (range is null)
            return (0, bytes);
        return ByteRange.Parse(range, bytes) is { } part && range.Count(c => c == '-') == 1 ? part
            : throw Refuse.InvalidArgument("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy.");
    }
}

/// <summary>Writes a part's bytes, then its row, in place of one of the same number.</summary>
sealed class PartWriter(IStore store, ContentKeeper keeper, UploadStore uploads, TimeProvider time)
{
    const int AttemptsMax = 50;

    public async ValueTask<Part> Write(Upload upload, int number, Stream content, long length, DeclaredDigests? declared, CancellationToken cancel)
    {
        if (length > ObjectWriter.SinglePutBytesMax)
            throw Refuse.EntityTooLarge(length, ObjectWriter.SinglePutBytesMax);
        var algorithm = ChecksumAlgorithm.Find(upload.Algorithm)!;
        ContentDigests? own = null;
        // A client may send another checksum than the upload's when it chose none for that: then both are worked out.
        var checking = declared is null || declared.Algorithm == algorithm ? null : new DigestingStream(content, declared.Algorithm, declared.Check);
        var (blob, digests) = await keeper.Write(upload.Account, checking ?? content, algorithm, checking is null ? declared is null ? null : declared.Check : null, cancel);
        own = digests;
        var part = new Part
        {
            Account = upload.Account,
            UploadId = upload.Id,
            Number = number,
            Blob = blob,
            Bytes = own.Bytes,
            ETag = own.ETag,
            Checksum = own.Checksum,
            Modified = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds()),
        };
        try
        {
            if (await Commit(upload, part, cancel) is { } before)
                await keeper.Remove(upload.Account, before.Blob);
            return part;
        }
        catch (ServiceException)
        {
            await keeper.Discard(upload.Account, blob);
            throw;
        }
        finally
        {
            keeper.Settle(blob);
        }
    }

    /// <summary>Answers the part that was there before.</summary>
    async ValueTask<Part?> Commit(Upload upload, Part part, CancellationToken cancel)
    {
        for (var attempt = 1; attempt <= AttemptsMax; attempt++)
        {
            var row = await uploads.Require(upload.Account, upload.Bucket, upload.Key, upload.Id, cancel);
            var before = await store.Get(Part.Table, upload.Account, Part.KeyOf(upload.Id, part.Number), cancel);
            var batch = new Batch().Require(Upload.Table, row);
            if (before is { } known)
                batch.Replace(Part.Table, known, part);
            else
                batch.Add(Part.Table, part);
            try
            {
                await store.Commit(batch, cancel);
                return before?.Value;
            }
            catch (StorageConflictException)
            {
                // The upload was ended, or the same part came twice at once.
            }
        }
        throw Refuse.Conflict();
    }
}

sealed record UploadPartRequest : UploadRequest, IStreamedRequest
{
    [Query("partNumber"), Range(1, 10_000)]
    public required int PartNumber { get; init; }
    [Header("Content-MD5")]
    public string? ContentMD5 { get; init; }
    [JsonIgnore]
    public RequestContent? Content { get; set; }
}

sealed record UploadPartResponse
{
    [Header("ETag")]
    public required string ETag { get; init; }
    [Headers("x-amz-checksum-")]
    public required IReadOnlyDictionary<string, string> Checksum { get; init; }
}

sealed record UploadPartCopyRequest : UploadRequest
{
    [Query("partNumber"), Range(1, 10_000)]
    public required int PartNumber { get; init; }
}

[XmlRoot("CopyPartResult")]
sealed record CopyPartResult
{
    public required string ETag { get; init; }
    public required DateTimeOffset LastModified { get; init; }
    [Header("x-amz-copy-source-version-id")]
    public string? SourceVersionId { get; init; }
}
