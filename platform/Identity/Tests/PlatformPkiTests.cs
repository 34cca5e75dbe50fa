using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Althing.Identity.Pki;
using Microsoft.Extensions.Time.Testing;

namespace Althing.Tests.Identity;

/// <summary>The platform's own certificates.</summary>
public sealed class PlatformPkiTests : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("althing-test-");
    readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero));

    PlatformPki Open(params string[] hosts) => new(folder.FullName, hosts, time);

    string PathOf(string name) => Path.Combine(folder.FullName, name);

    [Fact]
    public void The_first_start_makes_a_root_and_a_server_certificate_that_the_second_finds()
    {
        using var first = Open("iot.example.com");
        using var second = Open("iot.example.com");
        Assert.Equal((first.Root.Thumbprint, first.Server.Thumbprint), (second.Root.Thumbprint, second.Server.Thumbprint));
        Assert.Equal(first.RootPem, File.ReadAllText(PathOf("ca.pem")));
        foreach (var name in new[] { "ca.key", "server.key" })
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(PathOf(name)));
        foreach (var name in new[] { "iot.example.com", "data.iot.example.com", "localhost", "data.localhost", "127.0.0.1", "::1" })
            Assert.True(first.Server.MatchesHostname(name), name);
        Assert.False(first.Server.MatchesHostname("example.com"));
        Assert.True(CertificateText.IsIssuedBy(first.Server, first.Root));
        Assert.True(first.Server.NotAfter - first.Server.NotBefore <= TimeSpan.FromDays(398));
    }

    [Fact]
    public void The_server_certificate_is_renewed_thirty_days_before_it_expires_while_running_and_at_a_start()
    {
        using var pki = Open();
        var first = pki.Server.Thumbprint;
        time.SetUtcNow(pki.Server.NotAfter.ToUniversalTime() - TimeSpan.FromDays(30));
        Assert.Equal(first, pki.Server.Thumbprint);
        time.Advance(TimeSpan.FromSeconds(1));
        var second = pki.Server;
        Assert.NotEqual(first, second.Thumbprint);
        Assert.True(second.NotAfter.ToUniversalTime() > time.GetUtcNow().AddDays(390));
        Assert.True(second.HasPrivateKey && CertificateText.IsIssuedBy(second, pki.Root));

        time.Advance(TimeSpan.FromDays(380));
        using var later = Open();
        Assert.NotEqual(second.Thumbprint, later.Server.Thumbprint);
        Assert.Equal(pki.Root.Thumbprint, later.Root.Thumbprint);
    }

    [Fact]
    public void A_new_host_name_or_a_half_written_pair_gives_a_new_server_certificate()
    {
        using var first = Open();
        using var named = Open("*.iot.example.com");
        Assert.NotEqual(first.Server.Thumbprint, named.Server.Thumbprint);
        Assert.True(named.Server.MatchesHostname("iot.example.com") && named.Server.MatchesHostname("data.iot.example.com"));
        using (var foreign = ECDsa.Create(ECCurve.NamedCurves.nistP256))
            File.WriteAllText(PathOf("server.key"), foreign.ExportPkcs8PrivateKeyPem());
        using var mended = Open("*.iot.example.com");
        Assert.True(mended.Server.HasPrivateKey);
        Assert.NotEqual(named.Server.Thumbprint, mended.Server.Thumbprint);
        Assert.Throws<ArgumentException>(() => Open("not a name"));
    }

    [Fact]
    public void Device_certificates_are_signed_by_the_root_for_the_key_asked_for()
    {
        using var pki = Open();
        var (certificate, privateKey, publicKey) = pki.IssueDevice();
        using var whole = X509Certificate2.CreateFromPem(CertificateText.PemOf(certificate), privateKey);
        Assert.True(CertificateText.IsIssuedBy(certificate, pki.Root));
        Assert.Equal(publicKey.Trim(), certificate.GetRSAPublicKey()!.ExportSubjectPublicKeyInfoPem());
        Assert.Equal(new DateTime(2049, 12, 31, 23, 59, 59), certificate.NotAfter.ToUniversalTime());
        Assert.Equal(64, CertificateText.IdOf(certificate).Length);

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var request = new CertificateRequest("CN=pump, O=Works", key, HashAlgorithmName.SHA384);
        using var issued = pki.IssueDevice(request.CreateSigningRequestPem());
        Assert.Equal("CN=pump, O=Works", issued.Subject);
        Assert.False(issued.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
    }

    [Fact]
    public void Bad_requests_and_weak_keys_are_refused()
    {
        using var pki = Open();
        using var weak = RSA.Create(1024);
        var request = new CertificateRequest("CN=x", weak, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        Assert.Contains("1024 bits", Assert.Throws<CryptographicException>(() => pki.IssueDevice(request.CreateSigningRequestPem())).Message);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var signed = new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256).CreateSigningRequest();
        signed[^1] ^= 1;
        foreach (var text in new[] { "", "nonsense", pki.RootPem, PemEncoding.WriteString("CERTIFICATE REQUEST", signed), PemEncoding.WriteString("CERTIFICATE REQUEST", [1, 2, 3]) })
            Assert.Throws<CryptographicException>(() => pki.IssueDevice(text));
    }

    public void Dispose() => folder.Delete(recursive: true);
}
