using Althing.Api;
using Althing.Identity;

namespace Althing.Core.BillingGroups;

[Operation<Iot>("GET /billing-groups/{billingGroupName}")]
sealed class DescribeBillingGroup(BillingGroupStore billing) : Operation<DescribeBillingGroupRequest, DescribeBillingGroupResponse>
{
    protected override Permission Needs(DescribeBillingGroupRequest request, Caller caller) =>
        new("iot:DescribeBillingGroup", BillingGroupStore.Arn(request.BillingGroupName, caller));

    protected override async ValueTask<DescribeBillingGroupResponse> Run(DescribeBillingGroupRequest request, Caller caller, CancellationToken cancel)
    {
        var group = (await billing.Require(caller.Account, request.BillingGroupName, cancel)).Value;
        return new()
        {
            BillingGroupName = group.Name,
            BillingGroupId = group.Id,
            BillingGroupArn = BillingGroupStore.Arn(group.Name, caller),
            Version = group.Version,
            BillingGroupProperties = new() { BillingGroupDescription = group.Description },
            BillingGroupMetadata = new() { CreationDate = group.CreatedAt },
        };
    }
}

sealed record DescribeBillingGroupRequest
{
    [Label, Length(1, 128), Pattern(Names.BillingGroup)]
    public required string BillingGroupName { get; init; }
}

sealed record DescribeBillingGroupResponse
{
    public string? BillingGroupName { get; init; }
    public string? BillingGroupId { get; init; }
    public string? BillingGroupArn { get; init; }
    public long? Version { get; init; }
    public BillingGroupProperties? BillingGroupProperties { get; init; }
    public BillingGroupMetadata? BillingGroupMetadata { get; init; }
}
