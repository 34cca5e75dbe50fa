using Althing.Api;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.BillingGroups;

/// <summary>Takes a thing out of a billing group; without effect when it is not in it.</summary>
[Operation<Iot>("PUT /billing-groups/removeThingFromBillingGroup")]
sealed class RemoveThingFromBillingGroup(IStore store, ThingStore things, BillingGroupStore billing, RegistryChanges changes)
    : Operation<RemoveThingFromBillingGroupRequest, EmptyResponse>
{
    protected override Permission Needs(RemoveThingFromBillingGroupRequest request, Caller caller) => new("iot:RemoveThingFromBillingGroup",
        NameOrArn.Arn(request.ThingName, request.ThingArn, "thing", caller),
        NameOrArn.Arn(request.BillingGroupName, request.BillingGroupArn, "billinggroup", caller));

    protected override async ValueTask<EmptyResponse> Run(RemoveThingFromBillingGroupRequest request, Caller caller, CancellationToken cancel)
    {
        var name = NameOrArn.Resolve(request.ThingName, request.ThingArn, "thing", "thing", caller);
        var group = NameOrArn.Resolve(request.BillingGroupName, request.BillingGroupArn, "billinggroup", "billingGroup", caller);
        var thing = await things.Require(caller.Account, name, cancel);
        await billing.Require(caller.Account, group, cancel);
        if (thing.Value.BillingGroupName != group)
            return EmptyResponse.Instance;
        var changed = thing.Value with { BillingGroupName = null };
        await store.Commit(new Batch().Replace(Thing.Table, thing, changed), cancel);
        changes.Publish(caller, RegistryResource.BillingGroupMembership, RegistryVerb.Deleted, name, group, changed);
        return EmptyResponse.Instance;
    }
}

sealed record RemoveThingFromBillingGroupRequest
{
    [Length(1, 128), Pattern(Names.BillingGroup)]
    public string? BillingGroupName { get; init; }
    public string? BillingGroupArn { get; init; }
    [Length(1, 128), Pattern(Names.Thing)]
    public string? ThingName { get; init; }
    public string? ThingArn { get; init; }
}
