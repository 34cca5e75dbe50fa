using Althing.Api;
using Althing.Core.Principals;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Policies;

[Operation<Iot>("POST /policy-targets/{policyName}", ReadOnly = true)]
sealed class ListTargetsForPolicy(PolicyStore policies, Listing listing) : Operation<ListTargetsForPolicyRequest, ListTargetsForPolicyResponse>
{
    protected override Permission Needs(ListTargetsForPolicyRequest request, Caller caller) =>
        new("iot:ListTargetsForPolicy", PolicyStore.Arn(request.PolicyName, caller));

    protected override async ValueTask<ListTargetsForPolicyResponse> Run(ListTargetsForPolicyRequest request, Caller caller, CancellationToken cancel)
    {
        await policies.Require(caller.Account, request.PolicyName, cancel);
        var page = await listing.Read(PolicyAttachment.Table, caller, $"ListTargetsForPolicy {request.PolicyName}",
            Scan.Under(Key.Prefix(request.PolicyName)), request.Marker, request.PageSize, cancel);
        return new() { Targets = [.. page.Items.Select(a => PrincipalRef.Format(a.Target, caller))], NextMarker = page.Next };
    }
}

sealed record ListTargetsForPolicyRequest
{
    [Label, Length(1, 128), Pattern(Names.Policy)]
    public required string PolicyName { get; init; }
    [Query, Length(0, 1024), Pattern(@"[A-Za-z0-9+/]+={0,2}")]
    public string? Marker { get; init; }
    [Query, Range(1, 250)]
    public int? PageSize { get; init; }
}

sealed record ListTargetsForPolicyResponse
{
    public IReadOnlyList<string>? Targets { get; init; }
    public string? NextMarker { get; init; }
}
