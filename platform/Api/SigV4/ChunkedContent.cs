using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Althing.Storage;

namespace Althing.Api.SigV4;

/// <summary>
/// The content of a body that comes in chunks, read as it arrives. The bytes of a chunk come out before its signature has been seen: only
/// who reads to the end without an exception has what was signed.
/// </summary>
/// <remarks>See <see cref="ChunkedPayload"/>, which does the same for bodies in memory.</remarks>
sealed class ChunkedContent(Stream body, string variant, SignedRequest signed, Func<string, string> sign) : ReadingStream
{
    const int LineBytesMax = 8 * 1024;
    const string SignatureMarker = "chunk-signature=";

    readonly byte[] buffer = new byte[64 * 1024];
    readonly IncrementalHash? hash = variant == ChunkedPayload.UnsignedWithTrailer ? null : IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    string previous = signed.Signature;
    string header = "";
    long left;
    int start, end;
    bool first = true, done;

    /// <summary>Where the trailer's headers go once the content has been read.</summary>
    public IDictionary<string, string>? Trailers { get; set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken = default)
    {
        if (done || target.Length == 0)
            return 0;
        if (left == 0 && !await NextChunk(cancellationToken))
            return 0;
        if (start == end && !await Fill(cancellationToken))
            throw Broken("ends in the middle of a chunk");
        var count = (int)Math.Min(Math.Min(left, end - start), target.Length);
        var piece = buffer.AsSpan(start, count);
        hash?.AppendData(piece);
        piece.CopyTo(target.Span);
        start += count;
        left -= count;
        return count;
    }

    /// <summary>Ends the chunk before, if there was one, and begins the next; false at the end of the content.</summary>
    async ValueTask<bool> NextChunk(CancellationToken cancel)
    {
        if (!first)
        {
            if ((await Line(cancel)).Length > 0)
                throw Broken("has a chunk that does not end with a line break");
            CheckChunk();
        }
        first = false;
        header = await Line(cancel);
        var length = header.Split(';')[0];
        if (!long.TryParse(length, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out left) || left < 0)
            throw Broken("has a chunk of wrong length");
        if (left > 0)
            return true;
        CheckChunk();
        await ReadTrailer(cancel);
        done = true;
        return false;
    }

    void CheckChunk()
    {
        if (hash is null)
            return;
        var at = header.IndexOf(SignatureMarker, StringComparison.Ordinal);
        var given = at < 0 ? "" : header[(at + SignatureMarker.Length)..].Split(';')[0];
        var content = Convert.ToHexStringLower(hash.GetHashAndReset());
        var expected = sign($"AWS4-HMAC-SHA256-PAYLOAD\n{signed.Timestamp}\n{signed.Scope}\n{previous}\n{Sig.EmptyHash}\n{content}");
        previous = Same(expected, given) ? expected : throw Refuse.InvalidSignature("The signature of a chunk of the body does not match.");
    }

    async ValueTask ReadTrailer(CancellationToken cancel)
    {
        var canonical = new StringBuilder();
        var given = "";
        while (await Line(cancel, mayEnd: true) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
                throw Broken("has a trailer with a line that is no header");
            var (name, value) = (line[..colon].Trim().ToLowerInvariant(), line[(colon + 1)..].Trim());
            if (name == "x-amz-trailer-signature")
            {
                given = value;
                continue;
            }
            canonical.Append(name).Append(':').Append(value).Append('\n');
            if (canonical.Length > LineBytesMax)
                throw Broken("has a trailer that is too long");
            Trailers?[name] = value;
        }
        if (variant != ChunkedPayload.SignedWithTrailer)
            return;
        var content = Sig.HashHex(Encoding.ASCII.GetBytes(canonical.ToString()));
        if (!Same(sign($"AWS4-HMAC-SHA256-TRAILER\n{signed.Timestamp}\n{signed.Scope}\n{previous}\n{content}"), given))
            throw Refuse.InvalidSignature("The signature of the trailer does not match.");
    }

    async ValueTask<string> Line(CancellationToken cancel, bool mayEnd = false)
    {
        var line = new StringBuilder();
        while (true)
        {
            if (start == end && !await Fill(cancel))
                return mayEnd ? line.ToString().TrimEnd('\r') : throw Broken("ends in the middle of a line");
            var at = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
            var count = at < 0 ? end - start : at + 1;
            line.Append(Encoding.ASCII.GetString(buffer, start, count));
            start += count;
            if (line.Length > LineBytesMax)
                throw Broken("has a line that is too long");
            if (at >= 0)
                return line.ToString().TrimEnd('\n').TrimEnd('\r');
        }
    }

    async ValueTask<bool> Fill(CancellationToken cancel)
    {
        (start, end) = (0, await body.ReadAsync(buffer, cancel));
        return end > 0;
    }

    static ServiceException Broken(string how) => new("IncompleteBody", 400, $"The chunked body {how}.");

    static bool Same(string expected, string given) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.ASCII.GetBytes(given));

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            hash?.Dispose();
        base.Dispose(disposing);
    }
}
