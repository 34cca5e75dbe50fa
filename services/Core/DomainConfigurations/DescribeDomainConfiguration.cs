using Althing.Api;
using Althing.Core.ServerCertificates;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.DomainConfigurations;

[Operation<Iot>("GET /domainConfigurations/{domainConfigurationName}")]
sealed class DescribeDomainConfiguration(IStore store, DefaultEndpoints defaults, TimeProvider clock)
    : Operation<DescribeDomainConfigurationRequest, DescribeDomainConfigurationResponse>
{
    protected override Permission Needs(DescribeDomainConfigurationRequest request, Caller caller) =>
        new("iot:DescribeDomainConfiguration", DomainConfiguration.ArnOf(request.DomainConfigurationName, caller));

    protected override async ValueTask<DescribeDomainConfigurationResponse> Run(
        DescribeDomainConfigurationRequest request, Caller caller, CancellationToken cancel)
    {
        var common = new DescribeDomainConfigurationResponse
        {
            DomainConfigurationName = request.DomainConfigurationName,
            ServerCertificates = [],
            TlsConfig = new() { SecurityPolicy = SecurityPolicies.Usual },
            AuthenticationType = DomainRules.Default,
            ApplicationProtocol = DomainRules.Default,
        };
        if (defaults.All(caller).FirstOrDefault(d => d.Name == request.DomainConfigurationName) is { } endpoint)
        {
            return common with
            {
                DomainConfigurationArn = endpoint.Arn(caller),
                DomainName = endpoint.DomainName,
                DomainConfigurationStatus = "ENABLED",
                ServiceType = endpoint.ServiceType,
                DomainType = "ENDPOINT",
            };
        }
        var configuration = (await DomainConfiguration.Require(store, caller.Account, request.DomainConfigurationName, cancel)).Value;
        return common with
        {
            DomainConfigurationArn = configuration.Arn(caller),
            DomainName = configuration.DomainName,
            DomainConfigurationStatus = configuration.Enabled ? "ENABLED" : "DISABLED",
            ServiceType = "DATA",
            DomainType = configuration.IsCustom ? "CUSTOMER_MANAGED" : "AWS_MANAGED",
            LastStatusChangeDate = configuration.LastStatusChangeAt,
            ServerCertificates = configuration.ServerCertificateArn is { } arn ? [await Describe(arn, configuration, cancel)] : [],
            AuthorizerConfig = configuration.AuthorizerConfig,
            TlsConfig = new() { SecurityPolicy = configuration.SecurityPolicy },
            AuthenticationType = configuration.AuthenticationType,
            ApplicationProtocol = configuration.ApplicationProtocol,
        };
    }

    async ValueTask<ServerCertificateSummary> Describe(string arn, DomainConfiguration domain, CancellationToken cancel)
    {
        var row = await store.Get(ServerCertificate.Table, domain.Account, ServerCertificate.IdIn(arn, domain.Account)!, cancel);
        var why = row is { } certificate ? certificate.Value.WhyNotFor(domain.DomainName, clock.GetUtcNow()) : "it is gone";
        return new() { ServerCertificateArn = arn, ServerCertificateStatus = why is null ? "VALID" : "INVALID", ServerCertificateStatusDetail = why };
    }
}

sealed record DescribeDomainConfigurationRequest
{
    [Label, Length(1, 128), Pattern(@"[\w.:-]+")]
    public required string DomainConfigurationName { get; init; }
}

sealed record DescribeDomainConfigurationResponse
{
    public string? DomainConfigurationName { get; init; }
    public string? DomainConfigurationArn { get; init; }
    public string? DomainName { get; init; }
    public IReadOnlyList<ServerCertificateSummary>? ServerCertificates { get; init; }
    public AuthorizerConfig? AuthorizerConfig { get; init; }
    public string? DomainConfigurationStatus { get; init; }
    public string? ServiceType { get; init; }
    public string? DomainType { get; init; }
    public DateTimeOffset? LastStatusChangeDate { get; init; }
    public TlsConfig? TlsConfig { get; init; }
    public ServerCertificateConfig? ServerCertificateConfig { get; init; }
    public string? AuthenticationType { get; init; }
    public string? ApplicationProtocol { get; init; }
    public ClientCertificateConfig? ClientCertificateConfig { get; init; }
}

sealed record ServerCertificateSummary
{
    public string? ServerCertificateArn { get; init; }
    public string? ServerCertificateStatus { get; init; }
    public string? ServerCertificateStatusDetail { get; init; }
}
