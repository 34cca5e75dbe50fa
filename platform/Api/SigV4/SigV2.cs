using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Althing.Identity;
using Microsoft.AspNetCore.Http;

namespace Althing.Api.SigV4;

/// <summary>
/// Presigned URLs of Signature Version 2: boto3 makes them unless it is told otherwise. Only URLs, never headers, and only for S3.
/// </summary>
/// <remarks>"Signing and authenticating REST requests" (Amazon S3 User Guide, AWS signature version 2), query string authentication.</remarks>
static class SigV2
{
    /// <summary>The parameters that belong to the resource; all others are not signed.</summary>
    static readonly HashSet<string> Signed = new(StringComparer.Ordinal)
    {
        "accelerate", "acl", "cors", "defaultObjectAcl", "delete", "lifecycle", "location", "logging", "notification", "partNumber", "policy", "replication",
        "requestPayment", "restore", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions", "website",
        "response-cache-control", "response-content-disposition", "response-content-encoding", "response-content-language", "response-content-type", "response-expires",
    };

    public static bool IsPresigned(HttpRequest request) => request.Query.ContainsKey("AWSAccessKeyId") && request.Query.ContainsKey("Signature") && request.Query.ContainsKey("Expires");

    public static string AccessKeyId(HttpRequest request) => request.Query["AWSAccessKeyId"].ToString();

    public static string? SessionToken(HttpRequest request) => request.Query["x-amz-security-token"].ToString() is { Length: > 0 } token ? token : null;

    /// <exception cref="ServiceException">The URL has expired, or its signature is wrong.</exception>
    public static void Verify(HttpRequest request, Secret secret, string? hostBucket, DateTimeOffset now)
    {
        if (!long.TryParse(request.Query["Expires"], CultureInfo.InvariantCulture, out var expires) || expires < now.ToUnixTimeSeconds())
            throw new ServiceException("AccessDenied", 403, "Request has expired");
        var expected = HMACSHA1Of(secret, StringToSign(request, hostBucket));
        if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.ASCII.GetBytes(request.Query["Signature"].ToString())))
            throw Refuse.InvalidSignature("The request signature we calculated does not match the signature you provided. Check your key and signing method.");
    }

    static string StringToSign(HttpRequest request, string? hostBucket)
    {
        var headers = from source in request.Headers.Concat(request.Query)
                      let name = source.Key.ToLowerInvariant()
                      where name.StartsWith("x-amz-", StringComparison.Ordinal)
                      select $"{name}:{string.Join(',', source.Value.Select(v => v?.Trim()))}\n";
        var parameters = from parameter in request.Query
                         where Signed.Contains(parameter.Key)
                         select parameter.Value.ToString() is { Length: > 0 } value ? $"{parameter.Key}={value}" : parameter.Key;
        var resource = (hostBucket is null ? "" : "/" + hostBucket) + SignedRequest.RawTarget(request).Path;
        var query = string.Join('&', parameters.Order(StringComparer.Ordinal));
        return $"{request.Method}\n{Value(request, "Content-MD5")}\n{Value(request, "Content-Type")}\n{request.Query["Expires"]}\n{string.Concat(headers.Distinct().Order(StringComparer.Ordinal))}{resource}{(query.Length > 0 ? "?" + query : "")}";
    }

    /// <summary>Signers put headers into the URL as well, for whoever will use it.</summary>
    static string Value(HttpRequest request, string name) => request.Headers[name].ToString() is { Length: > 0 } sent ? sent : request.Query[name].ToString();

#pragma warning disable CA5350 // The algorithm is the protocol's; its keys are as long as any, and no collision helps.
    static string HMACSHA1Of(Secret secret, string text) => Convert.ToBase64String(HMACSHA1.HashData(Encoding.UTF8.GetBytes(secret.Value), Encoding.UTF8.GetBytes(text)));
#pragma warning restore CA5350
}
