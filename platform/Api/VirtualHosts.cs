using System.Net;

namespace Althing.Api;

/// <summary>The platform's own host names, to tell the bucket in names such as <c>bucket.s3.example.com</c> and <c>bucket.example.com</c>.</summary>
/// <param name="names">Names that devices and clients use for this machine.</param>
public sealed class VirtualHosts(params IReadOnlyList<string> names)
{
    readonly List<string> own = [.. names.Append("localhost").Distinct(StringComparer.OrdinalIgnoreCase)];

    /// <summary>What stands before the service's prefix or the platform's name; null when the bucket is in the path.</summary>
    /// <param name="prefix">The service's host prefix, such as <c>s3</c>.</param>
    internal string? BucketOf(string host, string prefix)
    {
        if (IPAddress.TryParse(host, out _) || own.Contains(host, StringComparer.OrdinalIgnoreCase)
            || host.StartsWith(prefix + ".", StringComparison.OrdinalIgnoreCase) || host.StartsWith(prefix + "-", StringComparison.OrdinalIgnoreCase))
            return null;
        foreach (var marker in new[] { $".{prefix}.", $".{prefix}-" })
        {
            if (host.IndexOf(marker, StringComparison.OrdinalIgnoreCase) is var at and > 0)
                return host[..at];
        }
        return own.FirstOrDefault(name => host.EndsWith("." + name, StringComparison.OrdinalIgnoreCase)) is { } mine ? host[..^(mine.Length + 1)] : null;
    }
}
