using System.Globalization;
using System.Text;

namespace Althing.Api.SigV4;

/// <summary>
/// Takes apart bodies that AWS clients send in signed chunks (<c>STREAMING-AWS4-HMAC-SHA256-PAYLOAD</c>) or unsigned ones with a trailer.
/// The seed signature has been checked by then; each chunk's own signature chains from it.
/// </summary>
static class ChunkedPayload
{
    public static bool IsChunked(string? declaredHash) => declaredHash?.StartsWith("STREAMING-", StringComparison.Ordinal) == true;

    /// <summary>The content behind the chunk framing.</summary>
    /// <param name="sign">Signs a chunk's string to sign; null for the unsigned variant.</param>
    /// <exception cref="ServiceException">The framing is broken or a chunk's signature is wrong.</exception>
    public static byte[] Decode(ReadOnlySpan<byte> body, SignedRequest signed, Func<string, string>? sign)
    {
        using var content = new MemoryStream(body.Length);
        var previous = signed.Signature;
        while (true)
        {
            var end = body.IndexOf("\r\n"u8);
            if (end < 0)
                throw Refuse.InvalidSignature("The chunked body ends in the middle of a chunk header.");
            var header = Encoding.ASCII.GetString(body[..end]);
            var semicolon = header.IndexOf(';', StringComparison.Ordinal);
            if (!int.TryParse(semicolon < 0 ? header : header[..semicolon], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var length)
                || length < 0 || body.Length < end + 2 + length)
                throw Refuse.InvalidSignature("The chunked body has a chunk of wrong length.");
            var chunk = body.Slice(end + 2, length);
            if (sign is not null)
                previous = CheckChunk(header, chunk, previous, signed, sign);
            content.Write(chunk);
            if (length == 0)
                return content.ToArray();
            body = body[(end + 2 + length)..];
            if (!body.StartsWith("\r\n"u8))
                throw Refuse.InvalidSignature("A chunk of the body does not end with a line break.");
            body = body[2..];
        }
    }

    static string CheckChunk(string header, ReadOnlySpan<byte> chunk, string previous, SignedRequest signed, Func<string, string> sign)
    {
        const string marker = "chunk-signature=";
        var at = header.IndexOf(marker, StringComparison.Ordinal);
        var given = at < 0 ? "" : header[(at + marker.Length)..].Split(';')[0];
        var expected = sign($"AWS4-HMAC-SHA256-PAYLOAD\n{signed.Timestamp}\n{signed.Scope}\n{previous}\n{Sig.EmptyHash}\n{Sig.HashHex(chunk)}");
        return System.Security.Cryptography.CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.ASCII.GetBytes(given))
            ? expected
            : throw Refuse.InvalidSignature("The signature of a chunk of the body does not match.");
    }
}
