using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Althing.Core.Certificates;

/// <summary>Signs the certificates that the platform itself makes for devices.</summary>
/// <param name="authority">The platform's CA certificate with its private key.</param>
public sealed class CertificateIssuer(X509Certificate2 authority, TimeProvider clock)
{
    /// <summary>Certificates that AWS IoT makes end then ("Create AWS IoT client certificates").</summary>
    static readonly DateTimeOffset Forever = new(2049, 12, 31, 23, 59, 59, TimeSpan.Zero);

    static readonly X500DistinguishedName DefaultSubject = new("CN=AWS IoT Certificate");

    /// <summary>Clocks of devices may be behind by this much without the certificate being "not yet valid".</summary>
    static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(2);

    /// <summary>A certificate for a new RSA key, which the caller disposes.</summary>
    public X509Certificate2 Issue(RSA key) =>
        Issue(DefaultSubject, new(key));

    /// <summary>A certificate for the key and subject of a request; the default subject when the request has none.</summary>
    public X509Certificate2 Issue(CertificateRequest request) =>
        Issue(request.SubjectName.EnumerateRelativeDistinguishedNames().Any() ? request.SubjectName : DefaultSubject, request.PublicKey);

    public bool Signed(X509Certificate2 certificate) => X509.IsSignedBy(certificate, authority);

    X509Certificate2 Issue(X500DistinguishedName subject, PublicKey key)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(key, critical: false));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        var from = clock.GetUtcNow() - ClockSkew;
        var until = Earlier(Forever, authority.NotAfter.ToUniversalTime());
        return request.Create(authority.SubjectName, Generator(), Later(from, authority.NotBefore.ToUniversalTime()), until, SerialNumber());
    }

    X509SignatureGenerator Generator() => authority.GetECDsaPrivateKey() is { } curve
        ? X509SignatureGenerator.CreateForECDsa(curve)
        : X509SignatureGenerator.CreateForRSA(authority.GetRSAPrivateKey() ?? throw new InvalidOperationException("The platform's CA has no private key."), RSASignaturePadding.Pkcs1);

    // RFC 5280, section 4.1.2.2: positive, at most 20 bytes.
    static byte[] SerialNumber()
    {
        var serial = RandomNumberGenerator.GetBytes(20);
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        return serial;
    }

    static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
