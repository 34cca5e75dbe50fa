using System.Diagnostics.CodeAnalysis;
using System.Security.Authentication;

namespace Althing.Sockets.Tls;

/// <summary>TLS versions by .NET's names and by their numbers on the wire.</summary>
static class TlsVersions
{
    public static (int Least, int Most) Of(SslProtocols versions) => versions switch
    {
        SslProtocols.Tls12 => (OpenSsl.Tls12, OpenSsl.Tls12),
        SslProtocols.Tls13 => (OpenSsl.Tls13, OpenSsl.Tls13),
        SslProtocols.Tls12 | SslProtocols.Tls13 => (OpenSsl.Tls12, OpenSsl.Tls13),
        _ => throw new ArgumentOutOfRangeException(nameof(versions), versions, "TLS 1.2 and 1.3 are spoken."),
    };

    [SuppressMessage("Security", "CA5397", Justification = "Takes OpenSSL's numbers for .NET's old versions.")]
    public static SslProtocols Named(int number) => number == OpenSsl.Tls13 ? SslProtocols.Tls13 : SslProtocols.Tls12;
}
