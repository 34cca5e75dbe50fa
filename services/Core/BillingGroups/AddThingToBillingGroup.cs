using Althing.Api;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.BillingGroups;

/// <summary>Puts a thing into a billing group. A thing is in one at most: it leaves the one it was in.</summary>
[Operation<Iot>("PUT /billing-groups/addThingToBillingGroup")]
sealed class AddThingToBillingGroup(IStore store, ThingStore things, BillingGroupStore billing, RegistryChanges changes)
    : Operation<AddThingToBillingGroupRequest, EmptyResponse>
{
    protected override Permission Needs(AddThingToBillingGroupRequest request, Caller caller) => new("iot:AddThingToBillingGroup",
        NameOrArn.Arn(request.ThingName, request.ThingArn, "thing", caller),
        NameOrArn.Arn(request.BillingGroupName, request.BillingGroupArn, "billinggroup", caller));

    protected override async ValueTask<EmptyResponse> Run(AddThingToBillingGroupRequest request, Caller caller, CancellationToken cancel)
    {
        var name = NameOrArn.Resolve(request.ThingName, request.ThingArn, "thing", "thing", caller);
        var group = NameOrArn.Resolve(request.BillingGroupName, request.BillingGroupArn, "billinggroup", "billingGroup", caller);
        var thing = await things.Require(caller.Account, name, cancel);
        var batch = new Batch();
        await billing.Use(batch, caller.Account, group, cancel);
        if (thing.Value.BillingGroupName == group)
            return EmptyResponse.Instance;
        var changed = thing.Value with { BillingGroupName = group };
        await store.Commit(batch.Replace(Thing.Table, thing, changed), cancel);
        changes.Publish(caller, RegistryResource.BillingGroupMembership, RegistryVerb.Created, name, group, changed);
        return EmptyResponse.Instance;
    }
}

sealed record AddThingToBillingGroupRequest
{
    [Length(1, 128), Pattern(Names.BillingGroup)]
    public string? BillingGroupName { get; init; }
    public string? BillingGroupArn { get; init; }
    [Length(1, 128), Pattern(Names.Thing)]
    public string? ThingName { get; init; }
    public string? ThingArn { get; init; }
}
