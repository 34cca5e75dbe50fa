using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Principals;

[Operation<Iot>("GET /principals/things")]
sealed class ListPrincipalThings(ThingPrincipalStore principals, Listing listing) : Operation<ListPrincipalThingsRequest, ListPrincipalThingsResponse>
{
    protected override Permission Needs(ListPrincipalThingsRequest request, Caller caller) => new("iot:ListPrincipalThings", request.Principal);

    protected override async ValueTask<ListPrincipalThingsResponse> Run(ListPrincipalThingsRequest request, Caller caller, CancellationToken cancel)
    {
        var principal = ThingPrincipalStore.Parse(request.Principal, caller);
        await principals.RequireCertificate(principal, request.Principal, caller, cancel);
        var page = await listing.Read(ThingPrincipal.Table, caller, $"ListPrincipalThings {principal}",
            Scan.By("principal", principal), request.NextToken, request.MaxResults, cancel);
        return new() { Things = [.. page.Items.Select(p => p.ThingName)], NextToken = page.Next };
    }
}

sealed record ListPrincipalThingsRequest
{
    [Query]
    public string? NextToken { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
    [Header("x-amzn-principal")]
    public required string Principal { get; init; }
}

sealed record ListPrincipalThingsResponse
{
    public IReadOnlyList<string>? Things { get; init; }
    public string? NextToken { get; init; }
}
