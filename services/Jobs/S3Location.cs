namespace Althing.Jobs;

/// <summary>An object that a URL names in one of S3's two ways ("Virtual hosting of buckets").</summary>
/// <param name="Region">The region in the host's name; null when it has none.</param>
readonly record struct S3Location(string Bucket, string Key, string? Region)
{
    const string Amazon = ".amazonaws.com";

    /// <summary>Reads <c>https://s3.REGION.amazonaws.com/BUCKET/KEY</c> or <c>https://BUCKET.s3.REGION.amazonaws.com/KEY</c>; the region may be left out.</summary>
    public static S3Location? Of(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("https" or "http") || url.Query.Length > 0)
            return null;
        var path = Uri.UnescapeDataString(url.AbsolutePath).TrimStart('/');
        var host = url.Host.EndsWith(Amazon + ".cn", StringComparison.OrdinalIgnoreCase) ? url.Host[..^3] : url.Host;
        if (host == "localhost")
            return ByPath(path, null);
        if (!host.EndsWith(Amazon, StringComparison.OrdinalIgnoreCase))
            return null;
        var labels = host[..^Amazon.Length].Split('.');
        var at = Array.FindLastIndex(labels, l => l == "s3" || l.StartsWith("s3-", StringComparison.Ordinal));
        if (at < 0 || labels.Length - at > 2)
            return null;
        var region = labels.Length - at == 2 ? labels[at + 1] : labels[at].Length > 3 ? labels[at][3..] : null;
        return at == 0 ? ByPath(path, region) : path.Length == 0 ? null : new S3Location(string.Join('.', labels[..at]), path, region);
    }

    static S3Location? ByPath(string path, string? region) =>
        path.Split('/', 2) is [{ Length: > 0 } bucket, { Length: > 0 } key] ? new(bucket, key, region) : null;
}
