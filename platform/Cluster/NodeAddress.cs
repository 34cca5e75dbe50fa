using System.Globalization;
using System.Net;

namespace Althing.Cluster;

/// <summary>Where the other nodes reach a node: encrypted, or plain on loopback.</summary>
/// <param name="Port">0 for any free one.</param>
public sealed record NodeAddress(string Host, int Port, bool IsSecure)
{
    const string Secure = "tls://";

    /// <summary>Where a node listens that was given no address.</summary>
    internal static NodeAddress Loopback(int port) => new(IPAddress.Loopback.ToString(), port, IsSecure: false);

    /// <summary>Reads HOST or HOST:PORT, which others reach the node at; null when it is neither.</summary>
    /// <param name="port">Where none is given.</param>
    public static NodeAddress? TryParse(string text, int port)
    {
        if (!Uri.TryCreate(Secure + text, UriKind.Absolute, out var uri) || uri.PathAndQuery is not ("" or "/") || uri.UserInfo.Length > 0 || uri.HostNameType == UriHostNameType.Basic)
            return null;
        var host = uri.DnsSafeHost;
        // Listening everywhere is no address that anybody could dial.
        if (IPAddress.TryParse(host, out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)))
            return null;
        return new(host, uri.IsDefaultPort ? port : uri.Port, IsSecure: true);
    }

    /// <summary>Reads what <see cref="ToString"/> wrote into a node's row.</summary>
    /// <exception cref="IOException">It is plain and not on loopback: nothing is ever said in plain text between machines.</exception>
    internal static NodeAddress Read(string text)
    {
        if (text.StartsWith(Secure, StringComparison.Ordinal) && TryParse(text[Secure.Length..], 0) is { } secure)
            return secure;
        return IPEndPoint.TryParse(text, out var plain) && IPAddress.IsLoopback(plain.Address) ? new(plain.Address.ToString(), plain.Port, IsSecure: false)
            : throw new IOException($"'{text}' is no address that a node may be dialled at.");
    }

    /// <summary>Where to listen: at the address itself, or everywhere for a name, which may be another's that leads here.</summary>
    internal IPEndPoint Bind => new(IPAddress.TryParse(Host, out var address) ? address : IPAddress.Any, Port);

    internal EndPoint Target => IPAddress.TryParse(Host, out var address) ? new IPEndPoint(address, Port) : new DnsEndPoint(Host, Port);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(IsSecure ? Secure : "")}{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}");
}
