using Althing.ObjectStore.Digests;
using Althing.ObjectStore.Objects;

namespace Althing.ObjectStore;

/// <summary>Values of answers that several operations share.</summary>
static class Answers
{
    public static string Quoted(string etag) => $"\"{etag}\"";

    /// <summary>Objects that were never versioned have no version to speak of; <c>null</c> is said by buckets that know versions.</summary>
    public static string? VersionId(StoredObject version) => version.VersionId == StoredObject.NullVersion ? null : version.VersionId;

    /// <summary>The headers behind <c>x-amz-checksum-</c>.</summary>
    public static Dictionary<string, string> Checksum(ObjectContent content) => new()
    {
        [ChecksumAlgorithm.Find(content.Algorithm)!.HeaderName] = content.Checksum,
        ["type"] = content.ChecksumType,
    };

    public static Owner OwnerOf(Storage.AccountId account) => new() { ID = CanonicalId(account), DisplayName = account.Value };

    /// <summary>An account's other name in S3: 64 hexadecimal digits.</summary>
    static string CanonicalId(Storage.AccountId account) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.ASCII.GetBytes("s3-owner-" + account.Value)));

    /// <summary>For names in lists, when the client asks for <c>url</c>: all but the harmless is percent-encoded, slashes stay.</summary>
    public static string Encoded(string name, string? encodingType) =>
        encodingType is null ? name : Uri.EscapeDataString(name).Replace("%2F", "/", StringComparison.Ordinal);
}

sealed record Owner
{
    public required string ID { get; init; }
    public string? DisplayName { get; init; }
}
