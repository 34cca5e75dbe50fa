using Althing.Api;
using Althing.Core.Principals;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Policies;

/// <summary>The older form of ListTargetsForPolicy.</summary>
[Operation<Iot>("GET /policy-principals")]
sealed class ListPolicyPrincipals(PolicyStore policies, Listing listing) : Operation<ListPolicyPrincipalsRequest, ListPolicyPrincipalsResponse>
{
    protected override Permission Needs(ListPolicyPrincipalsRequest request, Caller caller) =>
        new("iot:ListPolicyPrincipals", PolicyStore.Arn(request.PolicyName, caller));

    protected override async ValueTask<ListPolicyPrincipalsResponse> Run(ListPolicyPrincipalsRequest request, Caller caller, CancellationToken cancel)
    {
        await policies.Require(caller.Account, request.PolicyName, cancel);
        var scan = Scan.Under(Key.Prefix(request.PolicyName)) with { Descending = request.AscendingOrder is false };
        var page = await listing.Read(PolicyAttachment.Table, caller, $"ListPolicyPrincipals {request.PolicyName} {scan.Descending}", scan,
            request.Marker, request.PageSize, cancel);
        return new() { Principals = [.. page.Items.Select(a => PrincipalRef.Format(a.Target, caller))], NextMarker = page.Next };
    }
}

sealed record ListPolicyPrincipalsRequest
{
    [Header("x-amzn-iot-policy"), Length(1, 128), Pattern(Names.Policy)]
    public required string PolicyName { get; init; }
    [Query, Length(0, 1024), Pattern(@"[A-Za-z0-9+/]+={0,2}")]
    public string? Marker { get; init; }
    [Query, Range(1, 250)]
    public int? PageSize { get; init; }
    [Query("isAscendingOrder")]
    public bool? AscendingOrder { get; init; }
}

sealed record ListPolicyPrincipalsResponse
{
    public IReadOnlyList<string>? Principals { get; init; }
    public string? NextMarker { get; init; }
}
