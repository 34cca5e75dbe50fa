using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Althing.Identity.Pki;

/// <summary>Small things about certificates that many need.</summary>
public static class CertificateText
{
    /// <summary>The certificate id of AWS IoT: SHA-256 of the DER, lower-case hexadecimal.</summary>
    public static string IdOf(X509Certificate2 certificate) => Convert.ToHexStringLower(SHA256.HashData(certificate.RawData));

    /// <summary>PEM with a final line break, as AWS returns it.</summary>
    public static string PemOf(X509Certificate2 certificate) => certificate.ExportCertificatePem() + "\n";

    /// <summary>Reads one PEM certificate; null when the text is none.</summary>
    public static X509Certificate2? TryRead(string pem)
    {
        try
        {
            return X509Certificate2.CreateFromPem(pem);
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Was it signed with this CA's key? Names and signature only: dates and extensions are judged elsewhere.</summary>
    public static bool IsIssuedBy(X509Certificate2 certificate, X509Certificate2 authority)
    {
        if (!certificate.IssuerName.RawData.AsSpan().SequenceEqual(authority.SubjectName.RawData))
            return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        // A CA registered in the middle of a chain is trusted as it stands, and devices' extensions are their own affair.
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.AllFlags & ~X509VerificationFlags.AllowUnknownCertificateAuthority;
        return chain.Build(certificate) && chain.ChainElements.Count == 2;
    }

    /// <summary>One relative name of a distinguished name, such as <c>CN</c> or <c>O</c>; null when it is not there.</summary>
    public static IReadOnlyList<string> NamesIn(X500DistinguishedName name, string oid)
    {
        List<string> values = [];
        foreach (var part in name.EnumerateRelativeDistinguishedNames())
        {
            if (!part.HasMultipleElements && part.GetSingleElementType().Value == oid && part.GetSingleElementValue() is { } value)
                values.Add(value);
        }
        return values;
    }
}
