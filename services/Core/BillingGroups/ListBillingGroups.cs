using Althing.Api;
using Althing.Core.ThingGroups;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.BillingGroups;

[Operation<Iot>("GET /billing-groups")]
sealed class ListBillingGroups(Listing listing) : Operation<ListBillingGroupsRequest, ListBillingGroupsResponse>
{
    protected override Permission Needs(ListBillingGroupsRequest request, Caller caller) => new("iot:ListBillingGroups");

    protected override async ValueTask<ListBillingGroupsResponse> Run(ListBillingGroupsRequest request, Caller caller, CancellationToken cancel)
    {
        var page = await listing.Read(BillingGroup.Table, caller, $"ListBillingGroups {request.NamePrefixFilter}",
            Scan.Under(request.NamePrefixFilter ?? ""), request.NextToken, request.MaxResults, cancel);
        return new()
        {
            BillingGroups = [.. page.Items.Select(g => new GroupNameAndArn { GroupName = g.Name, GroupArn = BillingGroupStore.Arn(g.Name, caller) })],
            NextToken = page.Next,
        };
    }
}

sealed record ListBillingGroupsRequest
{
    [Query]
    public string? NextToken { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
    [Query, Length(1, 128), Pattern(Names.BillingGroup)]
    public string? NamePrefixFilter { get; init; }
}

sealed record ListBillingGroupsResponse
{
    public IReadOnlyList<GroupNameAndArn>? BillingGroups { get; init; }
    public string? NextToken { get; init; }
}
