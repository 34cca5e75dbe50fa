using Althing.Api;
using Althing.Core.CustomAuthorizers;
using Althing.Storage;

namespace Althing.Core.DomainConfigurations;

sealed record AuthorizerConfig
{
    [Length(1, 128), Pattern(Names.RoleAlias)]
    public string? DefaultAuthorizerName { get; init; }
    public bool? AllowAuthorizerOverride { get; init; }
}

sealed record TlsConfig
{
    [Length(0, 128), Pattern(@"[\s\S]*")]
    public string? SecurityPolicy { get; init; }
}

sealed record ServerCertificateConfig
{
    public bool? EnableOCSPCheck { get; init; }
    [Length(0, 140)]
    public string? OcspLambdaArn { get; init; }
    [Length(1, 2048), Pattern(AcmArn)]
    public string? OcspAuthorizedResponderArn { get; init; }

    public const string AcmArn =
        @"arn:aws(-cn|-us-gov|-iso-b|-iso)?:acm:[a-z]{2}-(gov-|iso-|isob-)?[a-z]{4,9}-\d{1}:\d{12}:certificate/[a-zA-Z0-9/-]+";
}

sealed record ClientCertificateConfig
{
    [Length(0, 2048), Pattern(@"[\s\S]*")]
    public string? ClientCertificateCallbackArn { get; init; }
}

/// <summary>What a domain configuration may ask of the gateway.</summary>
static class GatewayAbilities
{
    /// <exception cref="ServiceException">InvalidRequestException for an option that would have no effect.</exception>
    public static void Check(TlsConfig? tls, ServerCertificateConfig? server, ClientCertificateConfig? client)
    {
        SecurityPolicies.Check(tls?.SecurityPolicy);
        if (server is { EnableOCSPCheck: true } or { OcspLambdaArn: not null } or { OcspAuthorizedResponderArn: not null })
            throw Unable("serverCertificateConfig", "OCSP responses are not stapled");
        if (client?.ClientCertificateCallbackArn is { Length: > 0 })
            throw Unable("clientCertificateConfig", "no function is called for client certificates; a custom authorizer with authenticationType CUSTOM_AUTH_X509 is");
    }

    /// <exception cref="ServiceException">InvalidRequestException for settings that let nobody in, or that name an authorizer that is not there.</exception>
    public static async ValueTask Check(IStore store, DomainConfiguration domain, CancellationToken cancel)
    {
        if (domain is { AuthenticationType: DomainRules.Signature, ApplicationProtocol: DomainRules.SecureMqtt })
            throw Refuse.InvalidRequest("MQTT without WebSocket cannot be signed: AWS_SIGV4 goes with MQTT_WSS or HTTPS.");
        if (domain.AuthorizerConfig?.DefaultAuthorizerName is { } name && await store.Get(Authorizer.Table, domain.Account, name, cancel) is null)
            throw Refuse.InvalidRequest($"There is no authorizer '{name}', which 'authorizerConfig' names. Create it first.");
    }

    static ServiceException Unable(string member, string why) =>
        Refuse.InvalidRequest($"'{member}' cannot be honoured by this platform's gateway: {why}. Leave it out.");
}
