using Althing.Api;
using Althing.Identity;

namespace Althing.ObjectStore.Objects;

/// <summary>The header x-amz-copy-source: <c>/bucket/key?versionId=…</c>, percent-encoded.</summary>
sealed record CopySource(string Bucket, string Key, string? VersionId)
{
    /// <exception cref="ServiceException">InvalidArgument.</exception>
    public static CopySource Parse(IReadOnlyDictionary<string, string> headers)
    {
        var source = headers.GetValueOrDefault("copy-source") ?? "";
        var at = source.IndexOf("?versionId=", StringComparison.Ordinal);
        var (path, version) = at < 0 ? (source, null) : (source[..at], source[(at + 11)..]);
        var decoded = Uri.UnescapeDataString(path.TrimStart('/'));
        var slash = decoded.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == decoded.Length - 1 || decoded.StartsWith("arn:", StringComparison.Ordinal))
            throw Refuse.InvalidArgument($"Copy Source must mention the source bucket and key: sourcebucket/sourcekey. It is '{source}'.");
        return new(decoded[..slash], decoded[(slash + 1)..], version);
    }

    /// <summary>As it is sent on: what was judged here is what is meant there.</summary>
    public string ToHeader() => $"{Bucket}/{string.Join('/', Key.Split('/').Select(Uri.EscapeDataString))}{(VersionId is null ? "" : "?versionId=" + Uri.EscapeDataString(VersionId))}";

    public Permission Needs() => new(VersionId is null ? "s3:GetObject" : "s3:GetObjectVersion", S3Api.Arn(Bucket, Key));

    /// <remarks>"Copying, moving, and renaming objects" (Amazon S3 User Guide): with one request, up to 5 GB.</remarks>
    public static void CheckLength(long bytes)
    {
        if (bytes > ObjectWriter.SinglePutBytesMax)
            throw Refuse.CopySourceTooLarge(ObjectWriter.SinglePutBytesMax);
    }

    public static Conditions Conditions(IReadOnlyDictionary<string, string> headers) => new(
        headers.GetValueOrDefault("copy-source-if-match"), headers.GetValueOrDefault("copy-source-if-none-match"),
        headers.GetValueOrDefault("copy-source-if-modified-since"), headers.GetValueOrDefault("copy-source-if-unmodified-since"));
}
