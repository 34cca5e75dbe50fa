using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Althing.Identity.Pki;

/// <summary>The platform's own certification authority: its root, its server certificate, and the device certificates it issues.</summary>
public sealed class PlatformPki : IDisposable
{
    const string RootFile = "ca.pem";
    const string RootKeyFile = "ca.key";
    const string ServerFile = "server.pem";
    const string ServerKeyFile = "server.key";

    /// <summary>Browsers and Apple's libraries refuse server certificates that live longer.</summary>
    static readonly TimeSpan ServerLifetime = TimeSpan.FromDays(397);
    static readonly TimeSpan ServerRenewal = TimeSpan.FromDays(30);
    static readonly TimeSpan RootLifetime = TimeSpan.FromDays(25 * 365);

    /// <summary>AWS IoT issues device certificates until this day.</summary>
    static readonly DateTimeOffset DeviceNotAfter = new(2049, 12, 31, 23, 59, 59, TimeSpan.Zero);

    /// <summary>
    /// The purpose (extended key usage) that certificates of nodes have and no device's: 2.25 and a random UUID, as X.667 has it for names of
    /// one's own.
    /// </summary>
    public const string NodePurpose = "2.25.206119735127381290437811905237463081295";

    /// <summary>They live in the memory of a process, which does not run so long.</summary>
    static readonly TimeSpan NodeLifetime = TimeSpan.FromDays(5 * 365);

    readonly string folder;
    readonly TimeProvider time;
    readonly IReadOnlyList<string> hosts;
    readonly Lock gate = new();
    volatile X509Certificate2 server;

    /// <param name="hosts">Names or addresses that devices use besides the machine's own.</param>
    /// <exception cref="ArgumentException">One of the hosts is neither a name nor an address.</exception>
    public PlatformPki(string folder, IReadOnlyList<string> hosts, TimeProvider time)
    {
        (this.folder, this.hosts, this.time) = (folder, [.. hosts.Select(WithoutWildcard)], time);
        if (this.hosts.FirstOrDefault(h => !IsHost(h)) is { } wrong)
            throw new ArgumentException($"'{wrong}' is neither a host name nor an address: give for example iot.example.com or 192.0.2.7.");
        Root = LoadOrMakeRoot();
        server = LoadServer() ?? MakeServer();
    }

    public X509Certificate2 Root { get; }

    /// <summary>The root as PEM: what clients must trust.</summary>
    public string RootPem => CertificateText.PemOf(Root);

    /// <summary>The server certificate in force, renewed thirty days before it expires.</summary>
    public X509Certificate2 Server
    {
        get
        {
            if (NeedsRenewal(server))
            {
                lock (gate)
                {
                    if (NeedsRenewal(server))
                        server = MakeServer();
                }
            }
            return server;
        }
    }

    /// <summary>Issues a device certificate for a new RSA 2048 key and answers both.</summary>
    public (X509Certificate2 Certificate, string PrivateKeyPem, string PublicKeyPem) IssueDevice() => IssueDevice(DeviceNotAfter);

    /// <summary>The same for a certificate that lives shortly.</summary>
    public (X509Certificate2 Certificate, string PrivateKeyPem, string PublicKeyPem) IssueDevice(TimeSpan lifetime) => IssueDevice(time.GetUtcNow() + lifetime);

    (X509Certificate2 Certificate, string PrivateKeyPem, string PublicKeyPem) IssueDevice(DateTimeOffset until)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=AWS IoT Certificate", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return (SignDevice(request, until), key.ExportRSAPrivateKeyPem() + "\n", key.ExportSubjectPublicKeyInfoPem() + "\n");
    }

    /// <summary>Issues a device certificate for a signing request.</summary>
    /// <exception cref="CryptographicException">The text is no request, its signature is wrong, or its key too weak.</exception>
    public X509Certificate2 IssueDevice(string requestPem)
    {
        CertificateRequest request;
        try
        {
            request = CertificateRequest.LoadSigningRequestPem(requestPem, HashAlgorithmName.SHA256, signerSignaturePadding: RSASignaturePadding.Pkcs1);
        }
        catch (Exception failure) when (failure is ArgumentException or CryptographicException)
        {
            throw new CryptographicException("The text is not a PEM certificate signing request with a valid signature.", failure);
        }
        if (KeyProblem(request.PublicKey) is { } problem)
            throw new CryptographicException(problem);
        var plain = new CertificateRequest(request.SubjectName, request.PublicKey, HashAlgorithmName.SHA256);
        return SignDevice(plain, DeviceNotAfter);
    }

    /// <summary>Issues the certificate that a node of a cluster shows the others, with its key.</summary>
    public X509Certificate2 IssueNode(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}, O=Althing", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1"), new("1.3.6.1.5.5.7.3.2"), new(NodePurpose)], false));
        var now = time.GetUtcNow();
        using var made = Sign(request, now.AddDays(-1), Min(now + NodeLifetime, Root.NotAfter));
        return made.CopyWithPrivateKey(key);
    }

    /// <summary>What is wrong with a device's public key, or null: RSA of at least 2048 bits and the NIST curves are accepted.</summary>
    public static string? KeyProblem(PublicKey key)
    {
        if (key.GetRSAPublicKey() is { } rsa)
            return rsa.KeySize >= 2048 ? null : $"The RSA key has {rsa.KeySize} bits: 2048 are needed.";
        return key.GetECDsaPublicKey() is { } curve
            ? curve.KeySize is 256 or 384 or 521 ? null : $"The EC key has {curve.KeySize} bits: use P-256, P-384 or P-521."
            : "The key must be RSA or elliptic-curve.";
    }

    X509Certificate2 SignDevice(CertificateRequest request, DateTimeOffset until)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return Sign(request, time.GetUtcNow().AddMinutes(-2), Min(until, Root.NotAfter));
    }

    X509Certificate2 Sign(CertificateRequest request, DateTimeOffset from, DateTimeOffset to)
    {
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Root, true, false));
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7f;
        using var key = Root.GetECDsaPrivateKey()!;
        return request.Create(Root.SubjectName, X509SignatureGenerator.CreateForECDsa(key), from, to, serial);
    }

    X509Certificate2 LoadOrMakeRoot()
    {
        var (path, keyPath) = (Path.Combine(folder, RootFile), Path.Combine(folder, RootKeyFile));
        if (File.Exists(path) && File.Exists(keyPath))
            return X509Certificate2.CreateFromPemFile(path, keyPath);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=Althing Root CA {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}, O=Althing", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = time.GetUtcNow();
        using var root = request.CreateSelfSigned(now.AddDays(-1), now + RootLifetime);
        PrivateFile.Write(keyPath, key.ExportPkcs8PrivateKeyPem() + "\n");
        PrivateFile.Write(path, CertificateText.PemOf(root));
        return X509Certificate2.CreateFromPemFile(path, keyPath);
    }

    X509Certificate2? LoadServer()
    {
        var (path, keyPath) = (Path.Combine(folder, ServerFile), Path.Combine(folder, ServerKeyFile));
        if (!File.Exists(path) || !File.Exists(keyPath))
            return null;
        X509Certificate2 loaded;
        try
        {
            loaded = X509Certificate2.CreateFromPemFile(path, keyPath);
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException)
        {
            // A crash between the two files left a key that is another certificate's; a new pair is as good.
            return null;
        }
        var covered = Names().All(n => loaded.MatchesHostname(n, allowWildcards: false));
        if (covered && CertificateText.IsIssuedBy(loaded, Root) && !NeedsRenewal(loaded))
            return loaded;
        loaded.Dispose();
        return null;
    }

    X509Certificate2 MakeServer()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Althing", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in Names())
        {
            if (IPAddress.TryParse(name, out var address))
            {
                names.AddIpAddress(address);
                continue;
            }
            names.AddDnsName(name);
            // SDKs put a prefix such as "data." before the endpoint's host for some operations.
            names.AddDnsName("*." + name);
        }
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = time.GetUtcNow();
        using var made = Sign(request, now.AddDays(-1), now + ServerLifetime);
        PrivateFile.Write(Path.Combine(folder, ServerKeyFile), key.ExportPkcs8PrivateKeyPem() + "\n");
        PrivateFile.Write(Path.Combine(folder, ServerFile), CertificateText.PemOf(made));
        return X509Certificate2.CreateFromPemFile(Path.Combine(folder, ServerFile), Path.Combine(folder, ServerKeyFile));
    }

    /// <summary>Everything this machine may be called by: localhost, its name, its addresses, and what the administrator gave.</summary>
    IReadOnlyList<string> Names()
    {
        var addresses = from adapter in NetworkInterface.GetAllNetworkInterfaces()
                        where adapter.OperationalStatus == OperationalStatus.Up
                        from address in adapter.GetIPProperties().UnicastAddresses
                        where address.Address.AddressFamily == AddressFamily.InterNetwork || !address.Address.IsIPv6LinkLocal
                        select address.Address.ToString();
        return [.. hosts.Concat(["localhost", "127.0.0.1", "::1", Dns.GetHostName()]).Concat(addresses).Where(IsHost).Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Every name gets its wildcard below, whether it was given with one or not.</summary>
    static string WithoutWildcard(string name) => name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : name;

    static bool IsHost(string name) => Uri.CheckHostName(name) != UriHostNameType.Unknown;

    bool NeedsRenewal(X509Certificate2 certificate) => certificate.NotAfter - time.GetUtcNow() < ServerRenewal;

    static DateTimeOffset Min(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    public void Dispose()
    {
        Root.Dispose();
        server.Dispose();
    }
}
