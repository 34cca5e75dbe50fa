using Althing.Api;
using Althing.Core.Events;
using Althing.Core.Principals;
using Althing.Core.ThingGroups;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Things;

/// <summary>Takes a thing out of the registry and out of its groups. Nothing happens, and no error, when there is none of this name.</summary>
/// <remarks>AWS IoT API Reference, "DeleteThing".</remarks>
[Operation<Iot>("DELETE /things/{thingName}")]
sealed class DeleteThing(IStore store, RegistryCommit commit) : Operation<DeleteThingRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteThingRequest request, Caller caller) =>
        new("iot:DeleteThing", ThingStore.Arn(request.ThingName, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteThingRequest request, Caller caller, CancellationToken cancel)
    {
        if (await store.Get(Thing.Table, caller.Account, request.ThingName, cancel) is not { } row)
            return EmptyResponse.Instance;
        var thing = row.Value;
        Expect.Version("thing", thing.Name, thing.Version, request.ExpectedVersion);
        var principals = Scan.Under(Key.Prefix(thing.Name)) with { Limit = 1 };
        if ((await store.Scan(ThingPrincipal.Table, caller.Account, principals, cancel)).Count > 0)
        {
            throw Refuse.InvalidRequest(
                $"Cannot delete. Thing {thing.Name} is still attached to one or more principals: ListThingPrincipals shows them; detach them first.");
        }
        // Attachments and memberships write the thing's row again, so one that came in between makes this batch conflict.
        var memberships = await store.Scan(ThingGroupMember.Table, caller.Account, Scan.By("thing", thing.Name), cancel);
        var batch = new Batch().Delete(Thing.Table, row);
        List<RegistryChange> told = [];
        foreach (var membership in memberships)
        {
            batch.Delete(ThingGroupMember.Table, membership);
            told.Add(await Leaves(caller, thing, membership.Value, cancel));
        }
        if (thing.TypeName is not null)
            told.Add(RegistryChange.By(caller, RegistryResource.ThingTypeAssociation, RegistryVerb.Deleted, thing.Name, thing.TypeName, thing));
        told.Add(RegistryChange.By(caller, RegistryResource.Thing, RegistryVerb.Deleted, thing.Name, detail: thing));
        await commit.Run(batch, told, cancel);
        return EmptyResponse.Instance;
    }

    async ValueTask<RegistryChange> Leaves(Caller caller, Thing thing, ThingGroupMember membership, CancellationToken cancel)
    {
        var group = await store.Get(ThingGroup.Table, caller.Account, membership.GroupName, cancel);
        return RegistryChange.By(caller, RegistryResource.ThingGroupMembership, RegistryVerb.Deleted, thing.Name, membership.GroupName,
            new MembershipDetail(membership.MembershipId, group?.Value.Id, thing.Id));
    }
}

sealed record DeleteThingRequest
{
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
    [Query]
    public long? ExpectedVersion { get; init; }
}
