using System.Text.Json.Serialization;
using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Bytes;
using Althing.ObjectStore.Digests;
using Althing.Storage;

namespace Althing.ObjectStore.Objects;

[Operation<S3Api>("PUT /{Bucket}/{Key+}")]
sealed class PutObject(ObjectFinder finder, ObjectWriter writer) : Operation<PutObjectRequest, PutObjectResponse>
{
    protected override Permission Needs(PutObjectRequest request, Caller caller) => request.Needs("s3:PutObject");

    protected override void Check(PutObjectRequest request) => request.Check();

    protected override async ValueTask<PutObjectResponse> Run(PutObjectRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        var content = request.Content ?? throw Refuse.InvalidRequest("Objects are put through the door or in process by a stream.");
        var declared = new DeclaredDigests(content, request.ContentMD5, request.Amz);
        var draft = new StoredObject { Account = caller.Account, Bucket = request.Bucket, Key = request.Key, Headers = request.Headers(), Tags = request.Tags() };
        var made = await writer.Put(draft, content.Stream, content.Length, declared.Algorithm, declared.Check, Conditions.ForWriting(request.Key, request.IfMatch, request.IfNoneMatch), cancel);
        return new() { ETag = Answers.Quoted(made.Content!.ETag), VersionId = Answers.VersionId(made), Checksum = Answers.Checksum(made.Content) };
    }
}

/// <summary>Writes an object's bytes, then its row.</summary>
sealed class ObjectWriter(ContentKeeper keeper, ObjectShelf shelf)
{
    /// <remarks>"Uploading objects" (Amazon S3 User Guide): with a single PUT, up to 5 GB.</remarks>
    public const long SinglePutBytesMax = 5L << 30;

    public async ValueTask<StoredObject> Put(
        StoredObject draft, Stream content, long? length, ChecksumAlgorithm algorithm, Action<ContentDigests>? check, Action<StoredObject?>? condition, CancellationToken cancel)
    {
        if (length > SinglePutBytesMax)
            throw Refuse.EntityTooLarge(length.Value, SinglePutBytesMax);
        var (blob, digests) = await keeper.Write(draft.Account, content, algorithm, check, cancel);
        try
        {
            var made = await shelf.Put(draft with { Content = ContentOf(blob, digests) }, condition, null, cancel);
            keeper.Settle(blob);
            return made;
        }
        catch (Exception failure) when (failure is ServiceException or StorageConflictException)
        {
            // Nothing was committed. After any other failure that is not known, and the sweep finds out.
            await keeper.Discard(draft.Account, blob);
            throw;
        }
        finally
        {
            keeper.Settle(blob);
        }
    }

    static ObjectContent ContentOf(string blob, ContentDigests digests) => new()
    {
        Id = blob,
        Bytes = digests.Bytes,
        ETag = digests.ETag,
        Algorithm = digests.Algorithm.Name,
        Checksum = digests.Checksum,
        ChecksumType = ChecksumAlgorithm.FullObject,
    };
}

sealed record PutObjectRequest : MakingRequest, IStreamedRequest
{
    [Header("Content-MD5")]
    public string? ContentMD5 { get; init; }
    [Header("If-Match")]
    public string? IfMatch { get; init; }
    [Header("If-None-Match")]
    public string? IfNoneMatch { get; init; }
    [JsonIgnore]
    public RequestContent? Content { get; set; }
}

sealed record PutObjectResponse
{
    [Header("ETag")]
    public required string ETag { get; init; }
    [Header("x-amz-version-id")]
    public string? VersionId { get; init; }
    [Headers("x-amz-checksum-")]
    public required IReadOnlyDictionary<string, string> Checksum { get; init; }
}
