using Althing.Api;

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

/// <summary>What a domain configuration may ask of the gateway, which serves all names alike.</summary>
static class GatewayAbilities
{
    /// <summary>TLS 1.3 and 1.2, which is what every listener speaks ("Transport security").</summary>
    public const string SecurityPolicy = "IoTSecurityPolicy_TLS13_1_2_2022_10";

    /// <exception cref="ServiceException">InvalidRequestException for an option that would have no effect.</exception>
    public static void Check(
        AuthorizerConfig? authorizer, TlsConfig? tls, ServerCertificateConfig? server, ClientCertificateConfig? client, string? authentication, string? protocol)
    {
        if (authorizer is not null)
            throw Unable("authorizerConfig", "there are no custom authorizers");
        if (tls?.SecurityPolicy is { Length: > 0 } policy && policy != SecurityPolicy)
            throw Unable("tlsConfig", $"all names have the security policy {SecurityPolicy}");
        if (server is { EnableOCSPCheck: true } or { OcspLambdaArn: not null } or { OcspAuthorizedResponderArn: not null })
            throw Unable("serverCertificateConfig", "OCSP responses are not stapled");
        if (client?.ClientCertificateCallbackArn is { Length: > 0 })
            throw Unable("clientCertificateConfig", "no function is called for client certificates");
        if (authentication is not (null or "DEFAULT" or "AWS_X509"))
            throw Unable("authenticationType", "devices sign in with X.509 certificates: use AWS_X509 or DEFAULT");
        if (protocol is not (null or "DEFAULT"))
            throw Unable("applicationProtocol", "all names take the same protocols: use DEFAULT");
    }

    static ServiceException Unable(string member, string why) =>
        Refuse.InvalidRequest($"'{member}' cannot be honoured by this platform's gateway: {why}. Leave it out.");
}
