using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Althing.Api.SigV4;

/// <summary>
/// Takes apart bodies that AWS clients send in chunks, each signed or none, with or without a trailer. The seed signature has been checked
/// by then; each chunk's own signature chains from it.
/// </summary>
/// <remarks>"Signature calculations for the Authorization header: transferring a payload in multiple chunks" (Amazon S3 API Reference).</remarks>
static class ChunkedPayload
{
    public const string Signed = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    public const string SignedWithTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
    public const string UnsignedWithTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

    const string SignatureMarker = "chunk-signature=";
    const string TrailerSignature = "x-amz-trailer-signature";

    /// <summary>A chunk has at least 8 KB but for the last, and its header less than 128 bytes.</summary>
    const int FramingBytesMax = 16 * 1024;

    public static bool IsChunked(string? declaredHash) => declaredHash is Signed or SignedWithTrailer or UnsignedWithTrailer;

    /// <summary>How many bytes may arrive for a content of this size at most.</summary>
    public static int BytesMax(HttpRequest request, int contentBytesMax) =>
        IsChunked(request.Headers["x-amz-content-sha256"]) ? contentBytesMax + (contentBytesMax / 64) + FramingBytesMax : contentBytesMax;

    /// <summary>The content behind the chunk framing.</summary>
    /// <param name="variant">Which of the three this is.</param>
    /// <param name="sign">Signs a string to sign with the day's key.</param>
    /// <exception cref="ServiceException">The framing is broken, or a signature is wrong.</exception>
    public static byte[] Decode(ReadOnlySpan<byte> body, string variant, SignedRequest signed, Func<string, string> sign)
    {
        using var content = new MemoryStream(body.Length);
        var previous = signed.Signature;
        while (true)
        {
            var header = Line(ref body, "The chunked body ends in the middle of a chunk's header.");
            var semicolon = header.IndexOf(';', StringComparison.Ordinal);
            if (!int.TryParse(semicolon < 0 ? header : header[..semicolon], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var length)
                || length < 0 || body.Length < length)
                throw Refuse.InvalidSignature("The chunked body has a chunk of wrong length.");
            var chunk = body[..length];
            body = body[length..];
            if (variant != UnsignedWithTrailer)
                previous = CheckChunk(header, chunk, previous, signed, sign);
            content.Write(chunk);
            if (length == 0)
                break;
            if (Line(ref body, "A chunk of the body does not end with a line break.").Length > 0)
                throw Refuse.InvalidSignature("A chunk of the body does not end with a line break.");
        }
        if (variant != Signed)
            CheckTrailer(body, variant, previous, signed, sign);
        return content.ToArray();
    }

    static string Line(ref ReadOnlySpan<byte> body, string problem)
    {
        var end = body.IndexOf("\r\n"u8);
        if (end < 0)
            throw Refuse.InvalidSignature(problem);
        var line = Encoding.ASCII.GetString(body[..end]);
        body = body[(end + 2)..];
        return line;
    }

    static string CheckChunk(string header, ReadOnlySpan<byte> chunk, string previous, SignedRequest signed, Func<string, string> sign)
    {
        var at = header.IndexOf(SignatureMarker, StringComparison.Ordinal);
        var given = at < 0 ? "" : header[(at + SignatureMarker.Length)..].Split(';')[0];
        var expected = sign($"AWS4-HMAC-SHA256-PAYLOAD\n{signed.Timestamp}\n{signed.Scope}\n{previous}\n{Sig.EmptyHash}\n{Sig.HashHex(chunk)}");
        return Same(expected, given) ? expected : throw Refuse.InvalidSignature("The signature of a chunk of the body does not match.");
    }

    /// <summary>The trailer's headers, one a line, are signed as <c>name:value\n</c> in the order they came.</summary>
    static void CheckTrailer(ReadOnlySpan<byte> rest, string variant, string previous, SignedRequest signed, Func<string, string> sign)
    {
        var canonical = new StringBuilder();
        var given = "";
        foreach (var line in Encoding.ASCII.GetString(rest).Split(["\r\n", "\n"], StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
                throw Refuse.InvalidSignature("The trailer of the chunked body has a line that is no header.");
            var (name, value) = (line[..colon].Trim().ToLowerInvariant(), line[(colon + 1)..].Trim());
            if (name == TrailerSignature)
                given = value;
            else
                canonical.Append(name).Append(':').Append(value).Append('\n');
        }
        if (variant != SignedWithTrailer)
            return;
        var hash = Sig.HashHex(Encoding.ASCII.GetBytes(canonical.ToString()));
        if (!Same(sign($"AWS4-HMAC-SHA256-TRAILER\n{signed.Timestamp}\n{signed.Scope}\n{previous}\n{hash}"), given))
            throw Refuse.InvalidSignature("The signature of the trailer does not match.");
    }

    static bool Same(string expected, string given) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.ASCII.GetBytes(given));
}
