using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.DomainConfigurations;

/// <summary>
/// Changes what a name lets in, or enables or disables it: under a disabled one no device is let in, and those there are lose their
/// connection. The default endpoints stay as they are.
/// </summary>
[Operation<Iot>("PUT /domainConfigurations/{domainConfigurationName}")]
sealed class UpdateDomainConfiguration(IStore store, DefaultEndpoints defaults, RegistryChanges changes, TimeProvider clock)
    : Operation<UpdateDomainConfigurationRequest, UpdateDomainConfigurationResponse>
{
    protected override Permission Needs(UpdateDomainConfigurationRequest request, Caller caller) =>
        new("iot:UpdateDomainConfiguration", DomainConfiguration.ArnOf(request.DomainConfigurationName, caller));

    protected override void Check(UpdateDomainConfigurationRequest request)
    {
        GatewayAbilities.Check(request.TlsConfig, request.ServerCertificateConfig, request.ClientCertificateConfig);
        if (request.RemoveAuthorizerConfig is true && request.AuthorizerConfig is not null)
            throw Refuse.InvalidRequest("'removeAuthorizerConfig' and 'authorizerConfig' contradict each other. Give one of them.");
    }

    protected override async ValueTask<UpdateDomainConfigurationResponse> Run(
        UpdateDomainConfigurationRequest request, Caller caller, CancellationToken cancel)
    {
        if (defaults.All(caller).FirstOrDefault(d => d.Name == request.DomainConfigurationName) is { } endpoint)
            return OfDefault(request, endpoint, caller);
        var row = await DomainConfiguration.Require(store, caller.Account, request.DomainConfigurationName, cancel);
        var changed = Change(row.Value, request);
        await GatewayAbilities.Check(store, changed, cancel);
        await store.Commit(new Batch().Replace(DomainConfiguration.Table, row, changed).Put(DomainOwner.Table, DomainOwner.Of(changed)), cancel);
        changes.Publish(new(RegistryResource.DomainConfiguration, RegistryVerb.Updated, caller.Account, changed.Name) { Detail = changed });
        return new() { DomainConfigurationName = changed.Name, DomainConfigurationArn = changed.Arn(caller) };
    }

    static UpdateDomainConfigurationResponse OfDefault(UpdateDomainConfigurationRequest request, DefaultEndpoint endpoint, Caller caller)
    {
        if (request.DomainConfigurationStatus == "DISABLED")
            throw Refuse.InvalidRequest($"The default endpoint {endpoint.Name} cannot be disabled on this platform.");
        if (request.AuthorizerConfig is not null || request.TlsConfig?.SecurityPolicy is { Length: > 0 } || request.AuthenticationType is not (null or DomainRules.Default)
            || request.ApplicationProtocol is not (null or DomainRules.Default))
        {
            throw Refuse.InvalidRequest($"The default endpoint {endpoint.Name} is the platform's and stays as it is. Create a domain configuration of your own, "
                + "or choose a default authorizer with SetDefaultAuthorizer.");
        }
        return new() { DomainConfigurationName = endpoint.Name, DomainConfigurationArn = endpoint.Arn(caller) };
    }

    DomainConfiguration Change(DomainConfiguration old, UpdateDomainConfigurationRequest request)
    {
        var enabled = request.DomainConfigurationStatus is { } status ? status == "ENABLED" : old.Enabled;
        return old with
        {
            Enabled = enabled,
            LastStatusChangeAt = enabled == old.Enabled ? old.LastStatusChangeAt : clock.GetUtcNow(),
            AuthorizerConfig = request.RemoveAuthorizerConfig is true ? null : request.AuthorizerConfig ?? old.AuthorizerConfig,
            AuthenticationType = request.AuthenticationType ?? old.AuthenticationType,
            ApplicationProtocol = request.ApplicationProtocol ?? old.ApplicationProtocol,
            SecurityPolicy = request.TlsConfig?.SecurityPolicy is { Length: > 0 } policy ? policy : old.SecurityPolicy,
        };
    }
}

sealed record UpdateDomainConfigurationRequest
{
    [Label, Length(1, 128), Pattern(@"[\w.:-]+")]
    public required string DomainConfigurationName { get; init; }
    public AuthorizerConfig? AuthorizerConfig { get; init; }
    [OneOf("ENABLED", "DISABLED")]
    public string? DomainConfigurationStatus { get; init; }
    public bool? RemoveAuthorizerConfig { get; init; }
    public TlsConfig? TlsConfig { get; init; }
    public ServerCertificateConfig? ServerCertificateConfig { get; init; }
    [OneOf("CUSTOM_AUTH_X509", "CUSTOM_AUTH", "AWS_X509", "AWS_SIGV4", "DEFAULT")]
    public string? AuthenticationType { get; init; }
    [OneOf("SECURE_MQTT", "MQTT_WSS", "HTTPS", "DEFAULT")]
    public string? ApplicationProtocol { get; init; }
    public ClientCertificateConfig? ClientCertificateConfig { get; init; }
}

sealed record UpdateDomainConfigurationResponse
{
    public string? DomainConfigurationName { get; init; }
    public string? DomainConfigurationArn { get; init; }
}
