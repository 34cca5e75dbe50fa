using System.Text;
using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Objects;

namespace Althing.ObjectStore;

/// <summary>What every request may carry: the headers of S3's own, by what follows <c>x-amz-</c>.</summary>
abstract record S3Request
{
    [Headers("x-amz-")]
    public IReadOnlyDictionary<string, string> Amz { get; init; } = new Dictionary<string, string>();

    /// <summary>Whom the request came through.</summary>
    [Header("Via")]
    public string? Via { get; init; }
}

abstract record BucketRequest : S3Request
{
    [Label]
    public required string Bucket { get; init; }
}

abstract record ObjectRequest : BucketRequest
{
    [Label]
    public required string Key { get; init; }
}

/// <summary>A request that makes an object and says what is kept with it.</summary>
abstract record MakingRequest : ObjectRequest
{
    const int MetadataBytesMax = 2048;

    [Header("Content-Type")]
    public string? ContentType { get; init; }
    [Header("Cache-Control")]
    public string? CacheControl { get; init; }
    [Header("Content-Disposition")]
    public string? ContentDisposition { get; init; }
    [Header("Content-Encoding")]
    public string? ContentEncoding { get; init; }
    [Header("Content-Language")]
    public string? ContentLanguage { get; init; }
    [Header("Expires")]
    public string? Expires { get; init; }

    public void Check()
    {
        Unserved.Check(Amz);
        StoredObject.CheckKey(Key);
        var bytes = Metadata().Sum(m => Encoding.UTF8.GetByteCount(m.Key) + Encoding.UTF8.GetByteCount(m.Value));
        if (bytes > MetadataBytesMax)
            throw Refuse.MetadataTooLarge(bytes);
        Tagging.FromHeader(Amz.GetValueOrDefault("tagging"));
    }

    Dictionary<string, string> Metadata() => Amz.Where(h => h.Key.StartsWith("meta-", StringComparison.Ordinal)).ToDictionary(h => h.Key["meta-".Length..], h => h.Value);

    public IReadOnlyDictionary<string, string>? Tags() => Tagging.FromHeader(Amz.GetValueOrDefault("tagging"));

    public ObjectHeaders Headers() => new()
    {
        ContentType = ContentType is { Length: > 0 } type ? type : "binary/octet-stream",
        CacheControl = CacheControl,
        ContentDisposition = ContentDisposition,
        // How the body was framed on its way says nothing of the object.
        ContentEncoding = string.Join(", ", (ContentEncoding ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(e => e != "aws-chunked")) is { Length: > 0 } encoding ? encoding : null,
        ContentLanguage = ContentLanguage,
        Expires = Expires,
        Metadata = Metadata() is { Count: > 0 } own ? own : null,
    };

    public Permission Needs(string action) => new(action, S3Api.Arn(Bucket, Key))
    {
        And = Amz.ContainsKey("tagging") ? new("s3:PutObjectTagging", S3Api.Arn(Bucket, Key)) : null,
    };
}

/// <summary>Wishes that are refused rather than passed over.</summary>
static class Unserved
{
    static readonly string[] Prefixes = ["server-side-encryption", "grant-", "object-lock-", "website-redirect-location", "copy-source-server-side", "write-offset-bytes", "bucket-object-lock"];

    public static void Check(IReadOnlyDictionary<string, string> headers)
    {
        foreach (var (name, value) in headers)
        {
            if (Prefixes.Any(p => name.StartsWith(p, StringComparison.Ordinal)))
                throw Refuse.NotImplemented($"The header x-amz-{name}");
            if (name == "acl" && value is not ("private" or "bucket-owner-full-control"))
                throw new ServiceException("AccessControlListNotSupported", 400, "The bucket does not allow ACLs. Use identity policies.");
            if (name == "storage-class" && value != "STANDARD")
                throw new ServiceException("InvalidStorageClass", 400, $"The storage class '{value}' is not served here: STANDARD is.");
        }
    }
}
