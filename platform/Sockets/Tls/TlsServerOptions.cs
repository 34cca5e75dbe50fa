using System.Net.Security;
using System.Security.Authentication;

namespace Althing.Sockets.Tls;

/// <summary>How a listener on event loops speaks TLS.</summary>
public sealed class TlsServerOptions
{
    /// <summary>The protocols that clients may agree on (ALPN), the preferred first. A client that asks for none of these is refused; one that does not ask is not.</summary>
    public required IReadOnlyList<SslApplicationProtocol> Protocols { get; init; }

    /// <summary>Who takes longer for the handshake is let go.</summary>
    public required TimeSpan HandshakeTimeout { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>The certificate and the versions for the name that the client asks for; empty when it asks for none.</summary>
    public required Func<string, CancellationToken, ValueTask<TlsChoice>> Choose { get; init; }
}

/// <summary>What a server name is served with.</summary>
/// <param name="Versions">TLS 1.2, 1.3 or both.</param>
public readonly record struct TlsChoice(SslStreamCertificateContext Certificate, SslProtocols Versions);
