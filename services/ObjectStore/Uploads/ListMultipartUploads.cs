using System.Xml.Serialization;
using Althing.Api;
using Althing.Identity;
using Althing.ObjectStore.Listing;
using Althing.ObjectStore.Objects;
using Althing.Storage;

namespace Althing.ObjectStore.Uploads;

[Operation<S3Api>("GET /{Bucket}?uploads")]
sealed class ListMultipartUploads(ObjectFinder finder, IStore store) : Operation<ListMultipartUploadsRequest, ListMultipartUploadsResult>
{
    protected override Permission Needs(ListMultipartUploadsRequest request, Caller caller) => new("s3:ListBucketMultipartUploads", S3Api.Arn(request.Bucket));

    protected override async ValueTask<ListMultipartUploadsResult> Run(ListMultipartUploadsRequest request, Caller caller, CancellationToken cancel)
    {
        await finder.Bucket(caller, request, cancel);
        // Uploads in progress are few: those of a bucket fit into memory.
        var all = (await store.Scan(Upload.Table, caller.Account, Scan.Under(Key.Prefix(request.Bucket)), cancel)).Select(r => r.Value)
            .Where(u => u.Key.StartsWith(request.Prefix ?? "", StringComparison.Ordinal))
            .OrderBy(u => u.Key, Utf8Order.Instance).ThenBy(u => u.Id, StringComparer.Ordinal)
            .Where(u => IsBehind(u, request)).ToList();
        List<Entry<Upload>> entries = [];
        var cut = false;
        foreach (var upload in all)
        {
            var entry = Fold(upload, request);
            if (entry.IsPrefix && entries.Any(e => e.Name == entry.Name && e.IsPrefix))
                continue;
            if (entries.Count == request.Size)
            {
                cut = request.Size > 0;
                break;
            }
            entries.Add(entry);
        }
        var last = cut ? entries[^1] : null;
        return new()
        {
            Bucket = request.Bucket,
            KeyMarker = request.Encode(request.KeyMarker ?? ""),
            UploadIdMarker = request.UploadIdMarker ?? "",
            NextKeyMarker = last is null ? null : request.Encode(last.Name),
            NextUploadIdMarker = last?.Value?.Id,
            Prefix = request.Encode(request.Prefix ?? ""),
            Delimiter = request.Delimiter is { } delimiter ? request.Encode(delimiter) : null,
            EncodingType = request.EncodingType,
            MaxUploads = request.Size,
            IsTruncated = cut,
            Uploads = [.. entries.Where(e => !e.IsPrefix).Select(e => ListedUpload.Of(e.Value!, request))],
            CommonPrefixes = [.. entries.Where(e => e.IsPrefix).Select(e => new CommonPrefix { Prefix = request.Encode(e.Name) })],
        };
    }

    static bool IsBehind(Upload upload, ListMultipartUploadsRequest request)
    {
        if (request.KeyMarker is not { Length: > 0 } marker)
            return true;
        if (request.Delimiter is { Length: > 0 } delimiter && marker.EndsWith(delimiter, StringComparison.Ordinal) && upload.Key.StartsWith(marker, StringComparison.Ordinal))
            return false;
        var order = Utf8Order.Instance.Compare(upload.Key, marker);
        return order > 0 || (order == 0 && request.UploadIdMarker is { Length: > 0 } id && string.CompareOrdinal(upload.Id, id) > 0);
    }

    static Entry<Upload> Fold(Upload upload, ListMultipartUploadsRequest request)
    {
        var at = string.IsNullOrEmpty(request.Delimiter) ? -1 : upload.Key.IndexOf(request.Delimiter, (request.Prefix ?? "").Length, StringComparison.Ordinal);
        return at < 0 ? new(upload.Key, upload) : new(upload.Key[..(at + request.Delimiter!.Length)], null);
    }
}

/// <summary>The order of texts by the bytes of their UTF-8, as in S3's listings: that of .NET's characters differs beyond U+FFFF.</summary>
sealed class Utf8Order : IComparer<string>
{
    public static Utf8Order Instance { get; } = new();

    public int Compare(string? x, string? y) => System.Text.Encoding.UTF8.GetBytes(x!).AsSpan().SequenceCompareTo(System.Text.Encoding.UTF8.GetBytes(y!));
}

sealed record ListMultipartUploadsRequest : ListRequest
{
    [Query("max-uploads"), Range(0)]
    public int? MaxUploads { get; init; }
    [Query("key-marker")]
    public string? KeyMarker { get; init; }
    [Query("upload-id-marker")]
    public string? UploadIdMarker { get; init; }
    protected override int? Wanted => MaxUploads;
}

[XmlRoot("ListMultipartUploadsResult")]
sealed record ListMultipartUploadsResult
{
    public required string Bucket { get; init; }
    public required string KeyMarker { get; init; }
    public required string UploadIdMarker { get; init; }
    public string? NextKeyMarker { get; init; }
    public string? NextUploadIdMarker { get; init; }
    public required string Prefix { get; init; }
    public string? Delimiter { get; init; }
    public string? EncodingType { get; init; }
    public required int MaxUploads { get; init; }
    public required bool IsTruncated { get; init; }
    [XmlElement("Upload")]
    public required IReadOnlyList<ListedUpload> Uploads { get; init; }
    [XmlElement("CommonPrefixes")]
    public required IReadOnlyList<CommonPrefix> CommonPrefixes { get; init; }
}

sealed record ListedUpload
{
    public required string Key { get; init; }
    public required string UploadId { get; init; }
    public required DateTimeOffset Initiated { get; init; }
    public string StorageClass { get; init; } = "STANDARD";
    public required Owner Owner { get; init; }
    public required Owner Initiator { get; init; }

    public static ListedUpload Of(Upload upload, ListRequest request) => new()
    {
        Key = request.Encode(upload.Key),
        UploadId = upload.Id,
        Initiated = upload.Begun,
        Owner = Answers.OwnerOf(upload.Account),
        Initiator = Answers.OwnerOf(upload.Account),
    };
}
