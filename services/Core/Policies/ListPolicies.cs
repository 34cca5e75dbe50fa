using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Policies;

[Operation<Iot>("GET /policies")]
sealed class ListPolicies(Listing listing) : Operation<ListPoliciesRequest, ListPoliciesResponse>
{
    protected override Permission Needs(ListPoliciesRequest request, Caller caller) => new("iot:ListPolicies");

    protected override async ValueTask<ListPoliciesResponse> Run(ListPoliciesRequest request, Caller caller, CancellationToken cancel)
    {
        var scan = new Scan { Index = "created", Descending = request.AscendingOrder is not true };
        var page = await listing.Read(Policy.Table, caller, $"ListPolicies {scan.Descending}", scan, request.Marker, request.PageSize, cancel);
        return new() { Policies = [.. page.Items.Select(p => PolicySummary.Of(p.Name, caller))], NextMarker = page.Next };
    }
}

sealed record ListPoliciesRequest
{
    [Query, Length(0, 1024), Pattern(@"[A-Za-z0-9+/]+={0,2}")]
    public string? Marker { get; init; }
    [Query, Range(1, 250)]
    public int? PageSize { get; init; }
    [Query("isAscendingOrder")]
    public bool? AscendingOrder { get; init; }
}

sealed record ListPoliciesResponse
{
    public IReadOnlyList<PolicySummary>? Policies { get; init; }
    public string? NextMarker { get; init; }
}
