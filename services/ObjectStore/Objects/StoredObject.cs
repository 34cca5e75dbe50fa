using System.Text;
using Althing.Storage;

namespace Althing.ObjectStore.Objects;

/// <summary>One version of an object, or a delete marker.</summary>
/// <remarks>
/// The latest version of a key is in one table and older versions in another, so that listings read nothing else. Whoever has older versions
/// has a latest one.
/// </remarks>
sealed record StoredObject
{
    /// <summary>The version id of what is written while versioning is not enabled.</summary>
    public const string NullVersion = "null";

    const int KeyBytesMax = 1024;

    public static readonly Table<StoredObject> Latest = new("s3-objects", o => (o.Account, LatestKey(o.Bucket, o.Key)), Index<StoredObject>.On("content", o => o.Content?.Id));

    public static readonly Table<StoredObject> Older = new("s3-older-versions", o => (o.Account, OlderPrefix(o.Bucket, o.Key) + Order(o.Sequence)),
        Index<StoredObject>.On("content", o => o.Content?.Id), Index<StoredObject>.On("null", o => o.VersionId == NullVersion ? OlderPrefix(o.Bucket, o.Key) : null));

    public required AccountId Account { get; init; }
    public required string Bucket { get; init; }
    public required string Key { get; init; }
    public string VersionId { get; init; } = NullVersion;

    /// <summary>Rises with each version of the key.</summary>
    public long Sequence { get; init; }
    public DateTimeOffset Modified { get; init; }

    /// <summary>Null for a delete marker.</summary>
    public ObjectContent? Content { get; init; }
    public bool IsMarker => Content is null;
    public ObjectHeaders Headers { get; init; } = new();
    public IReadOnlyDictionary<string, string>? Tags { get; init; }

    /// <summary>A bucket's name has no separator, so a key may hold anything.</summary>
    public static string LatestKey(string bucket, string key) => Storage.Key.Of(bucket, key);

    /// <summary>Here something follows the key, so that a separator in it is written otherwise.</summary>
    public static string OlderPrefix(string bucket, string key) =>
        Storage.Key.Prefix(bucket, key.Replace("%", "%25", StringComparison.Ordinal).Replace("\u001f", "%1F", StringComparison.Ordinal));

    /// <summary>The newest first.</summary>
    static string Order(long sequence) => (long.MaxValue - sequence).ToString("D19", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Where the version of this id stands among the older ones; null for ids that no version has.</summary>
    public static string? OlderKey(string bucket, string key, string versionId) =>
        versionId.Length == 32 && long.TryParse(versionId.AsSpan(0, 16), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var sequence) && sequence >= 0
            ? OlderPrefix(bucket, key) + Order(sequence) : null;

    public static string NewVersionId(long sequence) => $"{sequence:x16}{System.Security.Cryptography.RandomNumberGenerator.GetHexString(16, lowercase: true)}";

    /// <exception cref="Althing.Api.ServiceException">The key is too long, or holds what no store can keep.</exception>
    public static void CheckKey(string key)
    {
        if (Encoding.UTF8.GetByteCount(key) is var bytes and > KeyBytesMax)
            throw Refuse.KeyTooLong(bytes);
        if (key.Contains('\0', StringComparison.Ordinal))
            throw Refuse.InvalidArgument("The key has a character U+0000, which cannot be kept.");
    }
}

/// <summary>The bytes of a version: one blob, or the parts of a finished multipart upload.</summary>
sealed record ObjectContent
{
    /// <summary>The blob's name, or the upload's id.</summary>
    public required string Id { get; init; }
    public required long Bytes { get; init; }

    /// <summary>Without quotation marks.</summary>
    public required string ETag { get; init; }

    /// <summary>How many parts; null for one blob.</summary>
    public int? Parts { get; init; }

    /// <summary>The checksum's algorithm, its value in base64, and whether it is of the whole or of the parts' checksums.</summary>
    public required string Algorithm { get; init; }
    public required string Checksum { get; init; }
    public required string ChecksumType { get; init; }
}

/// <summary>What clients say of an object and get back with it.</summary>
sealed record ObjectHeaders
{
    public string? ContentType { get; init; }
    public string? CacheControl { get; init; }
    public string? ContentDisposition { get; init; }
    public string? ContentEncoding { get; init; }
    public string? ContentLanguage { get; init; }
    public string? Expires { get; init; }

    /// <summary>The client's own, by the name behind <c>x-amz-meta-</c>.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}
