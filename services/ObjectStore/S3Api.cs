using Althing.Api;
using Althing.Storage;

namespace Althing.ObjectStore;

/// <summary>Amazon Simple Storage Service ("Amazon S3 API Reference", 2006-03-01).</summary>
public sealed class S3Api : IAwsApi
{
    public static AwsApi Definition { get; } = new()
    {
        Name = "s3",
        Protocol = WireProtocol.RestXml,
        SigningNames = ["s3"],
        HostPrefixes = ["s3"],
        XmlNamespace = "http://s3.amazonaws.com/doc/2006-03-01/",
        Json = WireJson.AsDeclared,
        Invalid = Refuse.InvalidArgument,
        Throttled = () => new("SlowDown", 503, "Please reduce your request rate."),
        AllowsUnsignedPayload = true,
        // A list of 10 000 parts with their checksums, or of 1000 keys of 1024 bytes.
        BodyBytesMax = 4 * 1024 * 1024,
        Subresources =
        [
            "abac", "accelerate", "acl", "analytics", "annotation", "attributes", "cors", "delete", "encryption", "intelligent-tiering", "inventory", "legal-hold", "lifecycle",
            "location", "logging", "metadataConfiguration", "metadataTable", "metrics", "notification", "object-lock", "ownershipControls", "policy", "policyStatus",
            "publicAccessBlock", "renameObject", "replication", "requestPayment", "restore", "retention", "select", "session", "tagging", "torrent", "uploads",
            "versioning", "versions", "website",
        ],
    };

    /// <summary>Buckets and objects have no region and no account in their ARNs.</summary>
    public static string Arn(string bucket, string? key = null) => key is null ? $"arn:aws:s3:::{bucket}" : $"arn:aws:s3:::{bucket}/{key}";
}
