using System.Security.Cryptography.X509Certificates;
using System.Text;
using Althing.Broker;
using Althing.Core.Endpoints;
using Althing.Identity.Pki;

namespace Althing.Core.CustomAuthorizers;

/// <summary>What a client brought, by whichever door, for an authorizer to judge.</summary>
sealed record AuthorizerInput
{
    public const string NameParameter = "x-amz-customauthorizer-name";
    public const string SignatureParameter = "x-amz-customauthorizer-signature";

    /// <summary>The TLS server name; null without one.</summary>
    public string? ServerName { get; init; }
    public bool IsSecure { get; init; }
    public HttpOpening? Http { get; init; }
    public MqttPart? Mqtt { get; init; }

    /// <summary>The client certificate, where the endpoint is for custom authentication with certificates; identified already.</summary>
    public CertificatePart? Certificate { get; init; }
    public string? SourceIp { get; init; }

    /// <summary>Names the connection to the function, for its log.</summary>
    public Guid ConnectionId { get; init; } = Guid.NewGuid();

    // Its parts carry credentials, and records print their members.
    public override string ToString() => nameof(AuthorizerInput);

    public static AuthorizerInput Of(ClientIntroduction client, DevicePrincipal? byCertificate) => new()
    {
        ServerName = client.Origin.ServerName,
        IsSecure = client.Origin.IsSecure,
        Http = client.Origin.Http,
        Mqtt = new(client.UserName, client.Password, client.ClientId),
        Certificate = byCertificate is null ? null : CertificatePart.Of(client.Origin.Certificate!, byCertificate),
        SourceIp = client.SourceIp,
    };

    /// <summary>
    /// A parameter that the client gave: in the query string of its MQTT user name, in a header, or in the query string of its request
    /// ("Connecting to AWS IoT Core by using custom authentication").
    /// </summary>
    public string? Find(string name)
    {
        if (Mqtt?.UserName is { } user && user.IndexOf('?', StringComparison.Ordinal) is >= 0 and var at && InQuery(user[at..], name) is { } inUserName)
            return inUserName;
        if (Http is null)
            return null;
        foreach (var (header, value) in Http.Headers)
        {
            if (string.Equals(header, name, StringComparison.OrdinalIgnoreCase))
                return value;
        }
        return InQuery(Http.QueryString, name);
    }

    static string? InQuery(string query, string name)
    {
        foreach (var part in query.TrimStart('?').Split('&'))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && string.Equals(Uri.UnescapeDataString(part[..equals]), name, StringComparison.OrdinalIgnoreCase))
                return Uri.UnescapeDataString(part[(equals + 1)..]);
        }
        return null;
    }
}

/// <param name="ClientId">Empty when the client gave none.</param>
sealed record MqttPart(string? UserName, ReadOnlyMemory<byte> Password, string ClientId)
{
    public override string ToString() => nameof(MqttPart);
}

sealed record CertificatePart(string Pem, string PrincipalId)
{
    public static CertificatePart Of(X509Certificate2 certificate, DevicePrincipal principal) => new(CertificateText.PemOf(certificate), principal.Id);
}
