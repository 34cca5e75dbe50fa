using System.Security.Cryptography;
using System.Text;

namespace Althing.Core.CustomAuthorizers;

/// <summary>The signature of a token: RSA with SHA-256 (PKCS #1 1.5), in base64 ("Signing the token").</summary>
static class TokenSignature
{
    /// <summary>Whether one of the keys signed the token.</summary>
    public static bool IsRight(string token, string signature, IReadOnlyDictionary<string, string> publicKeys)
    {
        // Clients that forget to encode it send a plus, which arrives as a space.
        var bytes = new byte[signature.Length];
        if (!Convert.TryFromBase64String(signature.Replace(' ', '+'), bytes, out var length))
            return false;
        var text = Encoding.UTF8.GetBytes(token);
        foreach (var pem in publicKeys.Values)
        {
            using var key = RSA.Create();
            key.ImportFromPem(pem);
            if (key.VerifyData(text, bytes.AsSpan(0, length), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))
                return true;
        }
        return false;
    }
}
