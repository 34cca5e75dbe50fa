using System.Security.Cryptography.X509Certificates;

namespace Althing.Broker;

/// <summary>The door that a client came in by, and what the door learnt of it.</summary>
public sealed record ClientOrigin
{
    /// <summary>A plain connection, of which nothing is known.</summary>
    public static ClientOrigin Plain { get; } = new();

    /// <summary>Whether the connection is encrypted.</summary>
    public bool IsSecure { get; init; }

    /// <summary>The TLS client certificate, if the client gave one; not yet judged.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>The TLS server name that the client asked for.</summary>
    public string? ServerName { get; init; }

    /// <summary>The protocol that TLS agreed on (ALPN), such as <c>x-amzn-mqtt-ca</c>; null for none.</summary>
    public string? ApplicationProtocol { get; init; }

    /// <summary>The HTTP request that opened a WebSocket; null for MQTT right on the connection.</summary>
    public HttpOpening? Http { get; init; }

    /// <summary>The address that the client connected to.</summary>
    public System.Net.EndPoint? LocalEndPoint { get; init; }

    /// <summary>Who the door itself found the client to be, such as the signer of the request that opened a WebSocket.</summary>
    public DevicePrincipal? Presented { get; init; }
}

/// <summary>The headers and the query string, with its question mark, of the request that opened a connection.</summary>
public sealed record HttpOpening(IReadOnlyList<KeyValuePair<string, string>> Headers, string QueryString)
{
    // Both carry credentials; records print their members.
    public override string ToString() => nameof(HttpOpening);
}

/// <summary>All that a client brings to its CONNECT to be known by.</summary>
public sealed record ClientIntroduction(ClientOrigin Origin, string ClientId)
{
    public string? UserName { get; init; }
    public ReadOnlyMemory<byte> Password { get; init; }

    /// <summary>The client's address without port.</summary>
    public required string SourceIp { get; init; }

    // A password must not reach a log by way of a record's text.
    public override string ToString() => $"{nameof(ClientIntroduction)} {{ {ClientId}, {SourceIp} }}";
}
