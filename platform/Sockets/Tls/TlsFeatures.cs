using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Althing.Sockets.Tls;

/// <summary>What a handshake agreed on, as Kestrel's own TLS tells it.</summary>
sealed class TlsFeatures(X509Certificate2? certificate) : ITlsConnectionFeature, ITlsHandshakeFeature, ITlsApplicationProtocolFeature, IDisposable
{
    public X509Certificate2? ClientCertificate { get; set; } = certificate;
    public required SslProtocols Protocol { get; init; }
    public required TlsCipherSuite? NegotiatedCipherSuite { get; init; }
    public required string HostName { get; init; }
    public required ReadOnlyMemory<byte> ApplicationProtocol { get; init; }

#pragma warning disable SYSLIB0058 // Belong to the interface; the suite says the same.
    public CipherAlgorithmType CipherAlgorithm => CipherAlgorithmType.None;
    public int CipherStrength => 0;
    public HashAlgorithmType HashAlgorithm => HashAlgorithmType.None;
    public int HashStrength => 0;
    public ExchangeAlgorithmType KeyExchangeAlgorithm => ExchangeAlgorithmType.None;
    public int KeyExchangeStrength => 0;
#pragma warning restore SYSLIB0058

    public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);

    public void SetOn(IFeatureCollection features)
    {
        features.Set<TlsFeatures>(this);
        features.Set<ITlsConnectionFeature>(this);
        features.Set<ITlsHandshakeFeature>(this);
        features.Set<ITlsApplicationProtocolFeature>(this);
    }

    public void Dispose() => ClientCertificate?.Dispose();
}
