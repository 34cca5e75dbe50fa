using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.BillingGroups;

[Operation<Iot>("PATCH /billing-groups/{billingGroupName}")]
sealed class UpdateBillingGroup(IStore store, BillingGroupStore billing, RegistryChanges changes)
    : Operation<UpdateBillingGroupRequest, UpdateBillingGroupResponse>
{
    protected override Permission Needs(UpdateBillingGroupRequest request, Caller caller) =>
        new("iot:UpdateBillingGroup", BillingGroupStore.Arn(request.BillingGroupName, caller));

    protected override async ValueTask<UpdateBillingGroupResponse> Run(UpdateBillingGroupRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await billing.Require(caller.Account, request.BillingGroupName, cancel);
        Expect.Version("billing group", row.Value.Name, row.Value.Version, request.ExpectedVersion);
        var changed = row.Value with
        {
            Version = row.Value.Version + 1,
            Description = request.BillingGroupProperties.BillingGroupDescription ?? row.Value.Description,
        };
        await store.Commit(new Batch().Replace(BillingGroup.Table, row, changed), cancel);
        changes.Publish(caller, RegistryResource.BillingGroup, RegistryVerb.Updated, changed.Name, detail: changed);
        return new() { Version = changed.Version };
    }
}

sealed record UpdateBillingGroupRequest
{
    [Label, Length(1, 128), Pattern(Names.BillingGroup)]
    public required string BillingGroupName { get; init; }
    public required BillingGroupProperties BillingGroupProperties { get; init; }
    public long? ExpectedVersion { get; init; }
}

sealed record UpdateBillingGroupResponse
{
    public long? Version { get; init; }
}
