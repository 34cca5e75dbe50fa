using Althing.Broker;

namespace Althing.Core.DomainConfigurations;

/// <summary>What a name's configuration lets in: by which protocol, and known by what ("Protocols, port mappings, and authentication").</summary>
static class DomainRules
{
    public const string Default = "DEFAULT";
    public const string CustomAuth = "CUSTOM_AUTH";
    public const string CustomAuthWithCertificate = "CUSTOM_AUTH_X509";
    public const string Certificate = "AWS_X509";
    public const string Signature = "AWS_SIGV4";

    public const string SecureMqtt = "SECURE_MQTT";
    public const string MqttOverWebSocket = "MQTT_WSS";
    public const string Https = "HTTPS";

    /// <summary>The protocol name by which a device without certificate asks for MQTT and custom authentication.</summary>
    public const string CustomAuthAlpn = "mqtt";

    /// <summary>Whether MQTT clients may come by this door.</summary>
    public static bool Takes(DomainConfiguration? domain, ClientOrigin origin) =>
        domain is null || domain.ApplicationProtocol == Default || domain.ApplicationProtocol == (origin.Http is null ? SecureMqtt : MqttOverWebSocket);

    /// <summary>By what a client is known that came by this door with this.</summary>
    public static string MethodOf(DomainConfiguration? domain, ClientOrigin origin, bool namesAuthorizer)
    {
        if (domain is not null && domain.AuthenticationType != Default)
            return domain.AuthenticationType;
        if (origin.Presented is not null)
            return Signature;
        return namesAuthorizer || origin.ApplicationProtocol == CustomAuthAlpn || origin.Certificate is null ? CustomAuth : Certificate;
    }
}
