using Althing.Api;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.BillingGroups;

[Operation<Iot>("GET /billing-groups/{billingGroupName}/things")]
sealed class ListThingsInBillingGroup(BillingGroupStore billing, Listing listing)
    : Operation<ListThingsInBillingGroupRequest, ListThingsInBillingGroupResponse>
{
    protected override Permission Needs(ListThingsInBillingGroupRequest request, Caller caller) =>
        new("iot:ListThingsInBillingGroup", BillingGroupStore.Arn(request.BillingGroupName, caller));

    protected override async ValueTask<ListThingsInBillingGroupResponse> Run(
        ListThingsInBillingGroupRequest request, Caller caller, CancellationToken cancel)
    {
        await billing.Require(caller.Account, request.BillingGroupName, cancel);
        var page = await listing.Read(Thing.Table, caller, $"ListThingsInBillingGroup {request.BillingGroupName}",
            Scan.By("billing-group", request.BillingGroupName), request.NextToken, request.MaxResults, cancel);
        return new() { Things = [.. page.Items.Select(t => t.Name)], NextToken = page.Next };
    }
}

sealed record ListThingsInBillingGroupRequest
{
    [Label, Length(1, 128), Pattern(Names.BillingGroup)]
    public required string BillingGroupName { get; init; }
    [Query]
    public string? NextToken { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
}

sealed record ListThingsInBillingGroupResponse
{
    public IReadOnlyList<string>? Things { get; init; }
    public string? NextToken { get; init; }
}
