using Althing.Api;
using Althing.Core.Principals;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Policies;

/// <summary>The older form of ListAttachedPolicies, for certificates and identities; in order of the policies' names.</summary>
[Operation<Iot>("GET /principal-policies")]
sealed class ListPrincipalPolicies(PolicyTargets targets, Listing listing) : Operation<ListPrincipalPoliciesRequest, ListPrincipalPoliciesResponse>
{
    protected override Permission Needs(ListPrincipalPoliciesRequest request, Caller caller) =>
        new("iot:ListPrincipalPolicies", request.Principal);

    protected override async ValueTask<ListPrincipalPoliciesResponse> Run(ListPrincipalPoliciesRequest request, Caller caller, CancellationToken cancel)
    {
        var principal = PrincipalRef.Parse(request.Principal, caller.Account);
        await targets.RequireTarget(caller.Account, principal, request.Principal, cancel);
        var scan = Scan.By("target", principal) with { Descending = request.AscendingOrder is false };
        var page = await listing.Read(PolicyAttachment.Table, caller, $"ListPrincipalPolicies {principal} {scan.Descending}", scan,
            request.Marker, request.PageSize, cancel);
        return new() { Policies = [.. page.Items.Select(a => PolicySummary.Of(a.PolicyName, caller))], NextMarker = page.Next };
    }
}

sealed record ListPrincipalPoliciesRequest
{
    [Header("x-amzn-iot-principal")]
    public required string Principal { get; init; }
    [Query, Length(0, 1024), Pattern(@"[A-Za-z0-9+/]+={0,2}")]
    public string? Marker { get; init; }
    [Query, Range(1, 250)]
    public int? PageSize { get; init; }
    [Query("isAscendingOrder")]
    public bool? AscendingOrder { get; init; }
}

sealed record ListPrincipalPoliciesResponse
{
    public IReadOnlyList<PolicySummary>? Policies { get; init; }
    public string? NextMarker { get; init; }
}
