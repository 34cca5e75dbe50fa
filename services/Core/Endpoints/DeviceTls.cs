using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Althing.Identity.Pki;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Althing.Core.Endpoints;

/// <summary>TLS as the devices' listeners speak it, with the certificate in force for the name that the client asks for.</summary>
/// <remarks>
/// A certificate that changes while the platform runs is shown to the next connection; those there are stay. Sessions are resumed: the
/// tickets hang on the certificate's context, which is kept for as long as the certificate.
/// </remarks>
[SuppressMessage("Security", "CA5359", Justification = "This is the server: it identifies the certificate of a client by looking it up, whoever signed it.")]
public sealed class DeviceTls
{
    /// <summary>Time for a TLS handshake: who takes longer is let go.</summary>
    static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    readonly PlatformPki pki;
    readonly ConditionalWeakTable<X509Certificate2, SslStreamCertificateContext> contexts = [];

    internal DeviceTls(PlatformPki pki) => this.pki = pki;

    static bool LaterByTheAuthority(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => true;

    /// <summary>
    /// Asks for a client certificate and takes any or none: whether it is one that the platform knows, is the devices' authority's question.
    /// </summary>
    public TlsHandshakeCallbackOptions Options(List<SslApplicationProtocol> protocols) => new()
    {
        HandshakeTimeout = HandshakeTimeout,
        OnConnection = _ => new(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = contexts.GetValue(pki.Server, static c => SslStreamCertificateContext.Create(c, null, offline: true)),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = protocols,
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = LaterByTheAuthority,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        }),
    };
}
