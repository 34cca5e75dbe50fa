using Althing.Api;
using Althing.Core.Endpoints;
using Althing.Core.Tags;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.DomainConfigurations;

/// <summary>
/// Gives the account's devices a further name under the platform's own. Names of other domains need a server certificate from a certificate
/// store, which this platform has none of yet; they are refused.
/// </summary>
[Operation<Iot>("POST /domainConfigurations/{domainConfigurationName}")]
sealed class CreateDomainConfiguration(IStore store, EndpointOptions endpoints, TagStore tags, RegistryChanges changes, TimeProvider clock)
    : Operation<CreateDomainConfigurationRequest, CreateDomainConfigurationResponse>
{
    protected override Permission Needs(CreateDomainConfigurationRequest request, Caller caller) =>
        new("iot:CreateDomainConfiguration", DomainConfiguration.ArnOf(request.DomainConfigurationName, caller));

    protected override void Check(CreateDomainConfigurationRequest request)
    {
        GatewayAbilities.Check(request.AuthorizerConfig, request.TlsConfig, request.ServerCertificateConfig, request.ClientCertificateConfig,
            request.AuthenticationType, request.ApplicationProtocol);
        if (request.ServiceType is not (null or "DATA"))
            throw Refuse.InvalidRequest($"'serviceType' {request.ServiceType} cannot be configured: DATA alone can.");
        if (request.DomainName is not null || request.ServerCertificateArns is { Count: > 0 } || request.ValidationCertificateArn is not null)
        {
            throw Refuse.InvalidRequest("'domainName' and server certificates cannot be honoured by this platform's gateway yet, which has one server certificate: "
                + "leave them out for a name under the platform's own.");
        }
    }

    protected override async ValueTask<CreateDomainConfigurationResponse> Run(
        CreateDomainConfigurationRequest request, Caller caller, CancellationToken cancel)
    {
        if (await store.Get(DomainConfiguration.Table, caller.Account, request.DomainConfigurationName, cancel) is { } existing)
        {
            throw Refuse.ResourceAlreadyExists(
                $"There is a domain configuration '{existing.Value.Name}' already.", existing.Value.Name, existing.Value.Arn(caller));
        }
        if (await store.Count(DomainConfiguration.Table, caller.Account, Scan.All, cancel) >= DomainConfiguration.PerAccountMax)
            throw Refuse.LimitExceeded($"The account has {DomainConfiguration.PerAccountMax} domain configurations already. Delete one first.");
        var suffix = DomainConfiguration.NewSuffix();
        var configuration = new DomainConfiguration
        {
            Account = caller.Account,
            Name = request.DomainConfigurationName,
            DomainName = $"d{suffix}.{endpoints.HostName}".ToLowerInvariant(),
            Enabled = true,
            CreatedAt = clock.GetUtcNow(),
            LastStatusChangeAt = clock.GetUtcNow(),
            Suffix = suffix,
        };
        var batch = new Batch().Add(DomainConfiguration.Table, configuration).Add(DomainOwner.Table, DomainOwner.Of(configuration));
        await tags.AddTags(batch, caller.Account, configuration.TagKey, request.Tags, cancel);
        await store.Commit(batch, cancel);
        changes.Publish(new(RegistryResource.DomainConfiguration, RegistryVerb.Created, caller.Account, configuration.Name) { Detail = configuration });
        return new() { DomainConfigurationName = configuration.Name, DomainConfigurationArn = configuration.Arn(caller) };
    }
}

sealed record CreateDomainConfigurationRequest
{
    [Label, Length(1, 128), Pattern(@"[\w.-]+")]
    public required string DomainConfigurationName { get; init; }
    [Length(1, 253), Pattern(@"[\s\S]*")]
    public string? DomainName { get; init; }
    [Length(0, 1), Each(LengthMin = 1, LengthMax = 2048, Pattern = ServerCertificateConfig.AcmArn)]
    public IReadOnlyList<string>? ServerCertificateArns { get; init; }
    [Length(1, 2048), Pattern(ServerCertificateConfig.AcmArn)]
    public string? ValidationCertificateArn { get; init; }
    public AuthorizerConfig? AuthorizerConfig { get; init; }
    [OneOf("DATA", "CREDENTIAL_PROVIDER", "JOBS")]
    public string? ServiceType { get; init; }
    public IReadOnlyList<Tag>? Tags { get; init; }
    public TlsConfig? TlsConfig { get; init; }
    public ServerCertificateConfig? ServerCertificateConfig { get; init; }
    [OneOf("CUSTOM_AUTH_X509", "CUSTOM_AUTH", "AWS_X509", "AWS_SIGV4", "DEFAULT")]
    public string? AuthenticationType { get; init; }
    [OneOf("SECURE_MQTT", "MQTT_WSS", "HTTPS", "DEFAULT")]
    public string? ApplicationProtocol { get; init; }
    public ClientCertificateConfig? ClientCertificateConfig { get; init; }
}

sealed record CreateDomainConfigurationResponse
{
    public string? DomainConfigurationName { get; init; }
    public string? DomainConfigurationArn { get; init; }
}
