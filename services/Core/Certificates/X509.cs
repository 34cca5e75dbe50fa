using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Althing.Identity.Pki;

namespace Althing.Core.Certificates;

/// <summary>Reads certificates as people paste them, and checks who signed them.</summary>
static class X509
{
    /// <summary>The first certificate in a PEM text.</summary>
    /// <param name="member">The request's member, for the message.</param>
    /// <exception cref="Api.ServiceException">CertificateValidationException.</exception>
    public static X509Certificate2 Parse(string pem, string member)
    {
        var certificate = CertificateText.TryRead(pem)
            ?? throw Refuse.CertificateValidation($"'{member}' is not a certificate in PEM form (-----BEGIN CERTIFICATE-----).");
        if (KeyProblem(certificate) is { } fault)
        {
            certificate.Dispose();
            throw Refuse.CertificateValidation($"The certificate in '{member}' is not accepted: {fault}");
        }
        return certificate;
    }

    static string? KeyProblem(X509Certificate2 certificate)
    {
        try
        {
            return PlatformPki.KeyProblem(certificate.PublicKey);
        }
        catch (CryptographicException)
        {
            return "its key cannot be read.";
        }
    }

    /// <summary>What certificates of one issuer name are found by.</summary>
    public static string NameHash(X500DistinguishedName name) => Convert.ToHexStringLower(SHA256.HashData(name.RawData));

    public static bool IsAuthority(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(e => e.CertificateAuthority);

    /// <summary>Whether this authority's name is the certificate's issuer and its key made the signature.</summary>
    public static bool IsSignedBy(X509Certificate2 certificate, X509Certificate2 authority)
    {
        if (!certificate.IssuerName.RawData.AsSpan().SequenceEqual(authority.SubjectName.RawData))
            return false;
        try
        {
            var parts = new AsnReader(certificate.RawData, AsnEncodingRules.DER).ReadSequence();
            var signed = parts.ReadEncodedValue();
            var algorithm = parts.ReadSequence();
            var signature = parts.ReadBitString(out _);
            return Verify(authority, algorithm, signed.Span, signature);
        }
        catch (Exception refusal) when (refusal is AsnContentException or CryptographicException)
        {
            return false;
        }
    }

    static bool Verify(X509Certificate2 authority, AsnReader algorithm, ReadOnlySpan<byte> signed, byte[] signature)
    {
        var oid = algorithm.ReadObjectIdentifier();
        if (HashOfEcdsa(oid) is { } ecdsaHash)
        {
            using var key = authority.GetECDsaPublicKey();
            return key is not null && key.VerifyData(signed, signature, ecdsaHash, DSASignatureFormat.Rfc3279DerSequence);
        }
        var (hash, padding) = HashOfRsa(oid, algorithm);
        if (hash is not { } rsaHash)
            return false;
        using var rsa = authority.GetRSAPublicKey();
        return rsa is not null && rsa.VerifyData(signed, signature, rsaHash, padding);
    }

    static HashAlgorithmName? HashOfEcdsa(string oid) => oid switch
    {
        "1.2.840.10045.4.3.2" => HashAlgorithmName.SHA256,
        "1.2.840.10045.4.3.3" => HashAlgorithmName.SHA384,
        "1.2.840.10045.4.3.4" => HashAlgorithmName.SHA512,
        _ => null,
    };

    static (HashAlgorithmName? Hash, RSASignaturePadding Padding) HashOfRsa(string oid, AsnReader algorithm) => oid switch
    {
        "1.2.840.113549.1.1.11" => (HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        "1.2.840.113549.1.1.12" => (HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1),
        "1.2.840.113549.1.1.13" => (HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1),
        "1.2.840.113549.1.1.10" => (HashOfPss(algorithm), RSASignaturePadding.Pss),
        _ => (null, RSASignaturePadding.Pkcs1),
    };

    // RFC 4055, section 3.1: parameters [0] hash algorithm; the default of SHA-1 is not taken.
    static HashAlgorithmName? HashOfPss(AsnReader algorithm)
    {
        var hash = new Asn1Tag(TagClass.ContextSpecific, 0);
        var parameters = algorithm.ReadSequence();
        if (!parameters.HasData || !parameters.PeekTag().HasSameClassAndValue(hash))
            return null;
        return parameters.ReadSequence(hash).ReadSequence().ReadObjectIdentifier() switch
        {
            "2.16.840.1.101.3.4.2.1" => HashAlgorithmName.SHA256,
            "2.16.840.1.101.3.4.2.2" => HashAlgorithmName.SHA384,
            "2.16.840.1.101.3.4.2.3" => HashAlgorithmName.SHA512,
            _ => null,
        };
    }
}
