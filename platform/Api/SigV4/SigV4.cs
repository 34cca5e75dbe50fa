using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Althing.Api.SigV4;

/// <summary>The arithmetic of AWS Signature Version 4 that signer and verifier share.</summary>
/// <remarks>"Create a signed AWS API request" (IAM User Guide).</remarks>
static class Sig
{
    public const string Algorithm = "AWS4-HMAC-SHA256";
    public const string UnsignedPayload = "UNSIGNED-PAYLOAD";
    public const string EmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    public const string TimeFormat = "yyyyMMdd'T'HHmmss'Z'";

    public static string HashHex(ReadOnlySpan<byte> data) => Convert.ToHexStringLower(SHA256.HashData(data));

    /// <summary>The key for one day, region and service.</summary>
    public static byte[] DeriveKey(string secret, string date, string region, string service)
    {
        var key = Hmac(Encoding.UTF8.GetBytes("AWS4" + secret), date);
        return Hmac(Hmac(Hmac(key, region), service), "aws4_request");
    }

    public static string Sign(byte[] key, string stringToSign) => Convert.ToHexStringLower(Hmac(key, stringToSign));

    public static string StringToSign(string timestamp, string scope, string canonicalRequest) =>
        $"{Algorithm}\n{timestamp}\n{scope}\n{HashHex(Encoding.UTF8.GetBytes(canonicalRequest))}";

    /// <summary>
    /// The path as signed: without dot segments and empty segments, every segment encoded once more; for S3 as it was sent.
    /// </summary>
    public static string CanonicalPath(string rawPath, bool encodeAgain)
    {
        if (rawPath.Length == 0)
            return "/";
        if (!encodeAgain)
            return rawPath;
        List<string> kept = [];
        foreach (var segment in rawPath.Split('/'))
        {
            if (segment == ".." && kept.Count > 0)
                kept.RemoveAt(kept.Count - 1);
            else if (segment is not ("" or "." or ".."))
                kept.Add(Encode(segment));
        }
        var path = "/" + string.Join('/', kept);
        return kept.Count > 0 && rawPath.EndsWith('/') ? path + "/" : path;
    }

    /// <summary>The query as signed: decoded, encoded the one AWS way, sorted by name, then value.</summary>
    public static string CanonicalQuery(string rawQuery, string? without = null)
    {
        var pairs = from part in rawQuery.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries)
                    let mark = part.IndexOf('=', StringComparison.Ordinal)
                    let name = Decode(mark < 0 ? part : part[..mark])
                    where name != without
                    select (Name: Encode(name), Value: Encode(mark < 0 ? "" : Decode(part[(mark + 1)..])));
        return string.Join('&', pairs.OrderBy(p => p.Name, StringComparer.Ordinal).ThenBy(p => p.Value, StringComparer.Ordinal).Select(p => $"{p.Name}={p.Value}"));
    }

    /// <summary>RFC 3986 encoding with upper-case hexadecimal; only letters, digits and <c>-_.~</c> stay.</summary>
    public static string Encode(string text) => Uri.EscapeDataString(text);

    /// <summary>Trims a header's value and folds runs of spaces.</summary>
    public static string FoldHeader(string value)
    {
        var parts = value.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return string.Join(' ', parts);
    }

    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

    static byte[] Hmac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
}
