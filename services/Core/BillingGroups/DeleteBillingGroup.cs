using Althing.Api;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.BillingGroups;

/// <summary>Deletes a billing group that has no things. Nothing happens, and no error, when there is no such group.</summary>
[Operation<Iot>("DELETE /billing-groups/{billingGroupName}")]
sealed class DeleteBillingGroup(IStore store, RegistryChanges changes) : Operation<DeleteBillingGroupRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteBillingGroupRequest request, Caller caller) =>
        new("iot:DeleteBillingGroup", BillingGroupStore.Arn(request.BillingGroupName, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteBillingGroupRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await Read(request, caller, cancel);
        if (row is { Value.Deleting: false } unmarked)
        {
            await store.Commit(new Batch().Replace(BillingGroup.Table, unmarked, unmarked.Value with { Deleting = true }), cancel);
            row = await Read(request, caller, cancel);
        }
        // From here on a thing that joins clears the mark, so that this deletion's commit meets a conflict and looks again.
        if (row is not { } group)
            return EmptyResponse.Instance;
        var batch = new Batch().Delete(BillingGroup.Table, group);
        TagStore.Forget(batch, caller.Account, BillingGroupStore.TagKey(group.Value.Name));
        await store.Commit(batch, cancel);
        changes.Publish(caller, RegistryResource.BillingGroup, RegistryVerb.Deleted, group.Value.Name, detail: group.Value);
        return EmptyResponse.Instance;
    }

    async ValueTask<Row<BillingGroup>?> Read(DeleteBillingGroupRequest request, Caller caller, CancellationToken cancel)
    {
        if (await store.Get(BillingGroup.Table, caller.Account, request.BillingGroupName, cancel) is not { } row)
            return null;
        Expect.Version("billing group", row.Value.Name, row.Value.Version, request.ExpectedVersion);
        if ((await store.Scan(Thing.Table, caller.Account, Scan.By("billing-group", row.Value.Name) with { Limit = 1 }, cancel)).Count > 0)
            throw Refuse.InvalidRequest($"Cannot delete billing group {row.Value.Name}: it still has things. ListThingsInBillingGroup shows them; remove them first.");
        return row;
    }
}

sealed record DeleteBillingGroupRequest
{
    [Label, Length(1, 128), Pattern(Names.BillingGroup)]
    public required string BillingGroupName { get; init; }
    [Query]
    public long? ExpectedVersion { get; init; }
}
