using Althing.Api;
using Althing.Core.Principals;
using Althing.Identity;

namespace Althing.Core.Policies;

/// <summary>The policies on a target; with <c>recursive</c> those on a thing group's ancestors too.</summary>
[Operation<Iot>("POST /attached-policies/{target}", ReadOnly = true)]
sealed class ListAttachedPolicies(PolicyTargets targets, Listing listing) : Operation<ListAttachedPoliciesRequest, ListAttachedPoliciesResponse>
{
    protected override Permission Needs(ListAttachedPoliciesRequest request, Caller caller) => new("iot:ListAttachedPolicies", request.Target);

    protected override async ValueTask<ListAttachedPoliciesResponse> Run(ListAttachedPoliciesRequest request, Caller caller, CancellationToken cancel)
    {
        var target = PrincipalRef.Parse(request.Target, caller.Account);
        await targets.RequireTarget(caller.Account, target, request.Target, cancel);
        IReadOnlyList<string> all = request.Recursive is true && PrincipalRef.GroupName(target) is { } group
            ? [.. (await targets.Lineage(caller.Account, group, cancel)).Select(PrincipalRef.OfGroup)]
            : [target];
        SortedSet<string> names = new(StringComparer.Ordinal);
        foreach (var one in all)
            names.UnionWith((await targets.OfTarget(caller.Account, one, cancel)).Select(a => a.Value.PolicyName));
        var page = listing.Cut(names, caller, $"ListAttachedPolicies {target} {request.Recursive}", request.Marker, request.PageSize);
        return new() { Policies = [.. page.Items.Select(n => PolicySummary.Of(n, caller))], NextMarker = page.Next };
    }
}

sealed record ListAttachedPoliciesRequest
{
    [Label]
    public required string Target { get; init; }
    [Query]
    public bool? Recursive { get; init; }
    [Query, Length(0, 1024), Pattern(@"[A-Za-z0-9+/]+={0,2}")]
    public string? Marker { get; init; }
    [Query, Range(1, 250)]
    public int? PageSize { get; init; }
}

sealed record ListAttachedPoliciesResponse
{
    public IReadOnlyList<PolicySummary>? Policies { get; init; }
    public string? NextMarker { get; init; }
}
