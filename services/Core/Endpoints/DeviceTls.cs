using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Althing.Core.DomainConfigurations;
using Althing.Identity.Pki;
using Althing.Sockets.Tls;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Althing.Core.Endpoints;

/// <summary>TLS as the devices' listeners speak it, with the certificate and the versions in force for the name that the client asks for.</summary>
/// <remarks>
/// A certificate that changes while the platform runs is shown to the next connection; those there are stay. Sessions are resumed: the
/// tickets hang on the certificate's context, which is kept for as long as the certificate.
/// </remarks>
[SuppressMessage("Security", "CA5359", Justification = "This is the server: it identifies the certificate of a client by looking it up, whoever signed it.")]
public sealed class DeviceTls
{
    /// <summary>What AWS devices ask for on a port that serves more than one protocol ("Device communication protocols").</summary>
    public static SslApplicationProtocol MqttWithCertificate { get; } = new("x-amzn-mqtt-ca");

    /// <summary>MQTT for custom authentication.</summary>
    public static SslApplicationProtocol Mqtt { get; } = new(DomainRules.CustomAuthAlpn);

    public static SslApplicationProtocol HttpWithCertificate { get; } = new("x-amzn-http-ca");

    /// <summary>Time for a TLS handshake: who takes longer is let go.</summary>
    static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    readonly PlatformPki pki;
    readonly ServerNames names;
    readonly ServerCertificateShelf shelf;
    readonly TimeProvider clock;
    readonly ConditionalWeakTable<X509Certificate2, SslStreamCertificateContext> contexts = [];

    internal DeviceTls(PlatformPki pki, ServerNames names, ServerCertificateShelf shelf, TimeProvider clock) =>
        (this.pki, this.names, this.shelf, this.clock) = (pki, names, shelf, clock);

    static bool LaterByTheAuthority(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => true;

    /// <summary>
    /// Asks for a client certificate and takes any or none: whether it is one that the platform knows, is the devices' authority's question.
    /// </summary>
    public TlsHandshakeCallbackOptions Options(List<SslApplicationProtocol> protocols) => new()
    {
        HandshakeTimeout = HandshakeTimeout,
        OnConnection = connection => Choose(connection.ClientHelloInfo.ServerName, protocols, connection.CancellationToken),
    };

    /// <summary>The same for a listener on event loops.</summary>
    public TlsServerOptions LoopOptions(List<SslApplicationProtocol> protocols) =>
        new() { Protocols = protocols, HandshakeTimeout = HandshakeTimeout, Time = clock, Choose = Choose };

    async ValueTask<TlsChoice> Choose(string serverName, CancellationToken cancel)
    {
        var domain = (await names.Account(serverName, cancel)).Domain;
        return new(
            domain is { ServerCertificateArn: { } arn } && await shelf.Find(domain.Account, arn, cancel) is { } own ? own : Platform(),
            domain is null ? SslProtocols.Tls12 | SslProtocols.Tls13 : SecurityPolicies.VersionsOf(domain.SecurityPolicy));
    }

    async ValueTask<SslServerAuthenticationOptions> Choose(string serverName, List<SslApplicationProtocol> protocols, CancellationToken cancel)
    {
        var (certificate, versions) = await Choose(serverName, cancel);
        return new()
        {
            ServerCertificateContext = certificate,
            EnabledSslProtocols = versions,
            ApplicationProtocols = protocols,
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = LaterByTheAuthority,
            // No chain is judged here: none is looked for, neither in the system's store nor on the network.
            CertificateChainPolicy = new()
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                VerificationFlags = X509VerificationFlags.AllFlags,
                DisableCertificateDownloads = true,
            },
        };
    }

    SslStreamCertificateContext Platform() => contexts.GetValue(pki.Server, static c => SslStreamCertificateContext.Create(c, null, offline: true));

    /// <summary>
    /// Whether a connection of the port that serves MQTT and HTTP is one of MQTT: the client asked for it in the handshake, or the name that it
    /// came under is for MQTT alone.
    /// </summary>
    public async ValueTask<bool> IsMqtt(IFeatureCollection connection, CancellationToken cancel)
    {
        // Empty for a client without ALPN.
        var agreed = connection.Get<ITlsApplicationProtocolFeature>()?.ApplicationProtocol ?? default;
        if (!agreed.IsEmpty)
            return agreed.Span.SequenceEqual(MqttWithCertificate.Protocol.Span) || agreed.Span.SequenceEqual(Mqtt.Protocol.Span);
        return connection.Get<ITlsHandshakeFeature>()?.HostName is { Length: > 0 } name
            && (await names.Account(name, cancel)).Domain is { ApplicationProtocol: DomainRules.SecureMqtt };
    }
}
