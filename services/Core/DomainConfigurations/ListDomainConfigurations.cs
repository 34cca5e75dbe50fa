using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.DomainConfigurations;

/// <summary>The default endpoints and the account's own configurations, in order of name.</summary>
[Operation<Iot>("GET /domainConfigurations")]
sealed class ListDomainConfigurations(IStore store, Listing listing, DefaultEndpoints defaults)
    : Operation<ListDomainConfigurationsRequest, ListDomainConfigurationsResponse>
{
    protected override Permission Needs(ListDomainConfigurationsRequest request, Caller caller) => new("iot:ListDomainConfigurations");

    protected override async ValueTask<ListDomainConfigurationsResponse> Run(
        ListDomainConfigurationsRequest request, Caller caller, CancellationToken cancel)
    {
        // An account has a handful of these, so they are put together whole.
        var all = defaults.All(caller)
            .Select(d => new DomainConfigurationSummary { DomainConfigurationName = d.Name, DomainConfigurationArn = d.Arn(caller), ServiceType = d.ServiceType })
            .Concat((await store.Scan(DomainConfiguration.Table, caller.Account, Scan.All, cancel)).Select(c => new DomainConfigurationSummary
            {
                DomainConfigurationName = c.Value.Name,
                DomainConfigurationArn = c.Value.Arn(caller),
                ServiceType = "DATA",
            }))
            .Where(d => request.ServiceType is null || d.ServiceType == request.ServiceType)
            .ToDictionary(d => d.DomainConfigurationName!, StringComparer.Ordinal);
        var page = listing.Cut(all.Keys.Order(StringComparer.Ordinal), caller, $"ListDomainConfigurations {request.ServiceType}", request.Marker, request.PageSize);
        return new() { DomainConfigurations = [.. page.Items.Select(n => all[n])], NextMarker = page.Next };
    }
}

sealed record ListDomainConfigurationsRequest
{
    [Query, Length(0, 1024), Pattern(@"[A-Za-z0-9+/]+={0,2}")]
    public string? Marker { get; init; }
    [Query, Range(1, 250)]
    public int? PageSize { get; init; }
    [Query, OneOf("DATA", "CREDENTIAL_PROVIDER", "JOBS")]
    public string? ServiceType { get; init; }
}

sealed record ListDomainConfigurationsResponse
{
    public IReadOnlyList<DomainConfigurationSummary>? DomainConfigurations { get; init; }
    public string? NextMarker { get; init; }
}

sealed record DomainConfigurationSummary
{
    public string? DomainConfigurationName { get; init; }
    public string? DomainConfigurationArn { get; init; }
    public string? ServiceType { get; init; }
}
