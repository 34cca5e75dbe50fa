using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Althing.Identity.Pki;

namespace Althing.Cluster;

/// <summary>
/// TLS between machines: both ends show a certificate that the platform's authority issued to a node. The authority signs devices'
/// certificates, too: those lack the nodes' purpose, and their holders are not let in.
/// </summary>
sealed class NodeTls(PlatformPki pki, string name)
{
    readonly X509Certificate2 root = X509CertificateLoader.LoadCertificate(pki.Root.RawData);
    readonly SslStreamCertificateContext mine = SslStreamCertificateContext.Create(pki.IssueNode(name), null, offline: true);

    /// <summary>The end that dials.</summary>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The other end is not this node.</exception>
    public async Task<Stream> Dial(Stream stream, string node, CancellationToken cancel)
    {
        var secure = new SslStream(stream);
        await secure.AuthenticateAsClientAsync(new()
        {
            TargetHost = node,
            ClientCertificateContext = mine,
            RemoteCertificateValidationCallback = (_, shown, _, _) => NodeOf(shown) == node,
        }, cancel);
        return secure;
    }

    /// <summary>The end that listens.</summary>
    /// <returns>The stream, and which node dialled.</returns>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The other end is no node.</exception>
    public async Task<(Stream Stream, string Node)> Answer(Stream stream, CancellationToken cancel)
    {
        var secure = new SslStream(stream);
        string? node = null;
        await secure.AuthenticateAsServerAsync(new()
        {
            ServerCertificateContext = mine,
            ClientCertificateRequired = true,
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = (_, shown, _, _) => (node = NodeOf(shown)) is not null,
        }, cancel);
        return (secure, node ?? throw new IOException("A node that dialled showed no certificate."));
    }

    /// <summary>The node that a certificate was issued to; null when it is no node's.</summary>
    string? NodeOf(X509Certificate? shown)
    {
        // Without the purpose in so many words it is a device's: no purpose at all would count as any.
        if (shown is not X509Certificate2 certificate
            || !certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Any(static e => e.EnhancedKeyUsages[PlatformPki.NodePurpose] is not null))
            return null;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(certificate) ? certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) : null;
    }
}
