using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.DomainConfigurations;

/// <summary>Enables or disables a name: under a disabled one no device is let in. The default endpoints stay as they are.</summary>
[Operation<Iot>("PUT /domainConfigurations/{domainConfigurationName}")]
sealed class UpdateDomainConfiguration(IStore store, DefaultEndpoints defaults, RegistryChanges changes, TimeProvider clock)
    : Operation<UpdateDomainConfigurationRequest, UpdateDomainConfigurationResponse>
{
    protected override Permission Needs(UpdateDomainConfigurationRequest request, Caller caller) =>
        new("iot:UpdateDomainConfiguration", DomainConfiguration.ArnOf(request.DomainConfigurationName, caller));

    protected override void Check(UpdateDomainConfigurationRequest request) =>
        GatewayAbilities.Check(request.AuthorizerConfig, request.TlsConfig, request.ServerCertificateConfig, request.ClientCertificateConfig,
            request.AuthenticationType, request.ApplicationProtocol);

    protected override async ValueTask<UpdateDomainConfigurationResponse> Run(
        UpdateDomainConfigurationRequest request, Caller caller, CancellationToken cancel)
    {
        if (defaults.All(caller).FirstOrDefault(d => d.Name == request.DomainConfigurationName) is { } endpoint)
        {
            if (request.DomainConfigurationStatus == "DISABLED")
                throw Refuse.InvalidRequest($"The default endpoint {endpoint.Name} cannot be disabled on this platform.");
            return new() { DomainConfigurationName = endpoint.Name, DomainConfigurationArn = endpoint.Arn(caller) };
        }
        var row = await DomainConfiguration.Require(store, caller.Account, request.DomainConfigurationName, cancel);
        var enabled = request.DomainConfigurationStatus is { } status ? status == "ENABLED" : row.Value.Enabled;
        var changed = row.Value with
        {
            Enabled = enabled,
            LastStatusChangeAt = enabled == row.Value.Enabled ? row.Value.LastStatusChangeAt : clock.GetUtcNow(),
        };
        await store.Commit(new Batch().Replace(DomainConfiguration.Table, row, changed).Put(DomainOwner.Table, DomainOwner.Of(changed)), cancel);
        changes.Publish(new(RegistryResource.DomainConfiguration, RegistryVerb.Updated, caller.Account, changed.Name) { Detail = changed });
        return new() { DomainConfigurationName = changed.Name, DomainConfigurationArn = changed.Arn(caller) };
    }
}

sealed record UpdateDomainConfigurationRequest
{
    [Label, Length(1, 128), Pattern(@"[\w.:-]+")]
    public required string DomainConfigurationName { get; init; }
    public AuthorizerConfig? AuthorizerConfig { get; init; }
    [OneOf("ENABLED", "DISABLED")]
    public string? DomainConfigurationStatus { get; init; }
    /// <summary>There is never an authorizer to remove, so this is done already.</summary>
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
