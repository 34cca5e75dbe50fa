using System.Security.Cryptography;
using System.Text;
using Althing.Identity;

namespace Althing.Api;

/// <summary>Seals where a listing stopped into a token that only the same account, in the same listing, can use.</summary>
/// <param name="key">A secret of the platform, 32 bytes.</param>
public sealed class PageTokens(byte[] key)
{
    const int MacBytes = 16;

    /// <summary>A token for the page behind this cursor; null when there is none.</summary>
    /// <param name="listing">The operation and its filters: a token of another listing is refused.</param>
    public string? Seal(Caller caller, string listing, string? cursor)
    {
        if (cursor is null)
            return null;
        var text = Encoding.UTF8.GetBytes(cursor);
        return Convert.ToBase64String([.. Mac(caller, listing, text), .. text]);
    }

    /// <summary>The cursor in a token; null for no token.</summary>
    /// <param name="invalid">Makes the API's exception for a token that is not ours.</param>
    public string? Open(Caller caller, string listing, string? token, Func<string, ServiceException> invalid)
    {
        if (string.IsNullOrEmpty(token))
            return null;
        var bytes = new byte[token.Length];
        if (!Convert.TryFromBase64String(token, bytes, out var length) || length < MacBytes
            || !CryptographicOperations.FixedTimeEquals(bytes.AsSpan(0, MacBytes), Mac(caller, listing, bytes.AsSpan(MacBytes, length - MacBytes))))
            throw invalid("The page token is not one of this listing's. Begin again without a token.");
        return Encoding.UTF8.GetString(bytes, MacBytes, length - MacBytes);
    }

    byte[] Mac(Caller caller, string listing, ReadOnlySpan<byte> cursor)
    {
        byte[] message = [.. Encoding.UTF8.GetBytes($"{caller.Account}\n{listing}\n"), .. cursor];
        return HMACSHA256.HashData(key, message)[..MacBytes];
    }
}
