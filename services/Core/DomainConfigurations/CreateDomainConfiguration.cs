using Althing.Api;
using Althing.Core.Endpoints;
using Althing.Core.Tags;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.DomainConfigurations;

/// <summary>
/// Gives the account's devices a further name: one of the account's own with its server certificate, or one under the platform's name.
/// </summary>
[Operation<Iot>("POST /domainConfigurations/{domainConfigurationName}")]
sealed class CreateDomainConfiguration(IStore store, EndpointOptions endpoints, ServerNames names, TagStore tags, RegistryChanges changes, TimeProvider clock)
    : Operation<CreateDomainConfigurationRequest, CreateDomainConfigurationResponse>
{
    protected override Permission Needs(CreateDomainConfigurationRequest request, Caller caller) =>
        new("iot:CreateDomainConfiguration", DomainConfiguration.ArnOf(request.DomainConfigurationName, caller));

    protected override void Check(CreateDomainConfigurationRequest request)
    {
        GatewayAbilities.Check(request.TlsConfig, request.ServerCertificateConfig, request.ClientCertificateConfig);
        if (request.ServiceType is not (null or "DATA"))
            throw Refuse.InvalidRequest($"'serviceType' {request.ServiceType} cannot be configured: DATA alone can.");
        if (request.DomainName is null && (request.ServerCertificateArns is { Count: > 0 } || request.ValidationCertificateArn is not null))
            throw Refuse.InvalidRequest("Server certificates go with a 'domainName': without one the name is under the platform's own and has its certificate.");
        if (request.DomainName is not null && request.ServerCertificateArns is not { Count: 1 })
            throw Refuse.InvalidRequest("A 'domainName' of your own needs one of 'serverCertificateArns'. Import the certificate with ACM's ImportCertificate.");
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
        var configuration = Make(request, caller);
        await GatewayAbilities.Check(store, configuration, cancel);
        var batch = new Batch();
        if (configuration.IsCustom)
            await DomainProof.Check(store, batch, names, endpoints, configuration, clock.GetUtcNow(), cancel);
        batch.Add(DomainConfiguration.Table, configuration).Add(DomainOwner.Table, DomainOwner.Of(configuration));
        await tags.AddTags(batch, caller.Account, configuration.TagKey, request.Tags, cancel);
        await store.Commit(batch, cancel);
        changes.Publish(new(RegistryResource.DomainConfiguration, RegistryVerb.Created, caller.Account, configuration.Name) { Detail = configuration });
        return new() { DomainConfigurationName = configuration.Name, DomainConfigurationArn = configuration.Arn(caller) };
    }

    DomainConfiguration Make(CreateDomainConfigurationRequest request, Caller caller)
    {
        var suffix = DomainConfiguration.NewSuffix();
        return new()
        {
            Account = caller.Account,
            Name = request.DomainConfigurationName,
            DomainName = (request.DomainName ?? $"d{suffix}.{endpoints.HostName}").ToLowerInvariant(),
            Enabled = true,
            AuthorizerConfig = request.AuthorizerConfig,
            AuthenticationType = request.AuthenticationType ?? DomainRules.Default,
            ApplicationProtocol = request.ApplicationProtocol ?? DomainRules.Default,
            SecurityPolicy = request.TlsConfig?.SecurityPolicy is { Length: > 0 } policy ? policy : SecurityPolicies.Usual,
            ServerCertificateArn = request.ServerCertificateArns is [var arn, ..] ? arn : null,
            ValidationCertificateArn = request.ValidationCertificateArn,
            CreatedAt = clock.GetUtcNow(),
            LastStatusChangeAt = clock.GetUtcNow(),
            Suffix = suffix,
        };
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
