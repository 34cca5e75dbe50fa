using Althing.ObjectStore.Objects;
using Althing.Storage;

namespace Althing.ObjectStore.Uploads;

/// <summary>A multipart upload that has begun. It goes when it is completed or aborted; of a completed one the parts stay.</summary>
sealed record Upload
{
    public static readonly Table<Upload> Table = new("s3-uploads", u => (u.Account, KeyOf(u.Bucket, u.Key, u.Id)), Index<Upload>.On("id", u => u.Id));

    public required AccountId Account { get; init; }
    public required string Bucket { get; init; }
    public required string Key { get; init; }
    public required string Id { get; init; }
    public required DateTimeOffset Begun { get; init; }
    public required ObjectHeaders Headers { get; init; }
    public IReadOnlyDictionary<string, string>? Tags { get; init; }
    public required string Algorithm { get; init; }
    public required string ChecksumType { get; init; }

    /// <summary>Whether the client asked for the algorithm; then it must give it for each part.</summary>
    public bool AlgorithmChosen { get; init; }

    public static string KeyOf(string bucket, string key, string id) => StoredObject.OlderPrefix(bucket, key) + id;
}

/// <summary>One uploaded part. Key: upload, number.</summary>
sealed record Part
{
    public static readonly Table<Part> Table = new("s3-parts", p => (p.Account, KeyOf(p.UploadId, p.Number)), Index<Part>.On("blob", p => p.Blob));

    public required AccountId Account { get; init; }
    public required string UploadId { get; init; }
    public required int Number { get; init; }
    public required string Blob { get; init; }
    public required long Bytes { get; init; }
    public required string ETag { get; init; }
    public required string Checksum { get; init; }
    public required DateTimeOffset Modified { get; init; }

    public static string KeyOf(string uploadId, int number) => Key.Of(uploadId, number.ToString("D5", System.Globalization.CultureInfo.InvariantCulture));
}
