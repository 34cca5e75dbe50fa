using Althing.Api;
using Althing.Core.Events;
using Althing.Core.Policies;
using Althing.Core.Principals;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.ThingGroups;

/// <summary>
/// Deletes a group without children. Its things leave it and its policies are detached. Nothing happens, and no error, when there is no such
/// group.
/// </summary>
/// <remarks>AWS IoT API Reference, "DeleteThingGroup".</remarks>
[Operation<Iot>("DELETE /thing-groups/{thingGroupName}")]
sealed class DeleteThingGroup(IStore store, ThingGroupStore groups, PolicyTargets targets, RegistryCommit commit)
    : Operation<DeleteThingGroupRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteThingGroupRequest request, Caller caller) =>
        new("iot:DeleteThingGroup", ThingGroupStore.Arn(request.ThingGroupName, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteThingGroupRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await Read(request, caller, cancel);
        if (row is { Value.Deleting: false } unmarked)
        {
            await store.Commit(new Batch().Replace(ThingGroup.Table, unmarked, unmarked.Value with { Deleting = true }), cancel);
            row = await Read(request, caller, cancel);
        }
        // From here on whatever joins the group, below it or attached to it writes its row, so that this deletion's commit meets a conflict.
        if (row is not { } group)
            return EmptyResponse.Instance;
        var members = await Members(caller, group.Value.Name, cancel);
        var attached = await targets.OfTarget(caller.Account, PrincipalRef.OfGroup(group.Value.Name), cancel);
        var ancestors = await groups.Ancestors(group.Value, cancel);
        var batch = new Batch().Delete(ThingGroup.Table, group);
        foreach (var member in members)
            batch.Delete(ThingGroupMember.Table, member);
        foreach (var attachment in attached)
            batch.Delete(PolicyAttachment.Table, attachment);
        TagStore.Forget(batch, caller.Account, ThingGroupStore.TagKey(group.Value.Name));
        List<RegistryChange> told = [.. attached.Select(a => RegistryChange.By(caller, RegistryResource.PolicyAttachment, RegistryVerb.Deleted, a.Value.PolicyName, a.Value.Target))];
        await TellMembers(told, caller, group.Value, members, cancel);
        Tell(told, caller, group.Value, ancestors);
        await commit.Run(batch, told, cancel);
        return EmptyResponse.Instance;
    }

    async ValueTask<Row<ThingGroup>?> Read(DeleteThingGroupRequest request, Caller caller, CancellationToken cancel)
    {
        if (await store.Get(ThingGroup.Table, caller.Account, request.ThingGroupName, cancel) is not { } row)
            return null;
        Expect.Version("thing group", row.Value.Name, row.Value.Version, request.ExpectedVersion);
        if ((await store.Scan(ThingGroup.Table, caller.Account, ThingGroupStore.ChildrenOf(row.Value.Name) with { Limit = 1 }, cancel)).Count > 0)
        {
            throw Refuse.InvalidRequest(
                $"Cannot delete thing group : {row.Value.Name} when there are still child groups attached to it. ListThingGroups with parentGroup shows them.");
        }
        return row;
    }

    async ValueTask<List<Row<ThingGroupMember>>> Members(Caller caller, string group, CancellationToken cancel)
    {
        List<Row<ThingGroupMember>> all = [];
        for (var scan = Scan.Under(Key.Prefix(group)); ; scan = scan with { After = all[^1].Cursor })
        {
            var some = await store.Scan(ThingGroupMember.Table, caller.Account, scan, cancel);
            all.AddRange(some);
            if (some.Count < scan.Limit)
                return all;
        }
    }

    async ValueTask TellMembers(List<RegistryChange> told, Caller caller, ThingGroup group, List<Row<ThingGroupMember>> members, CancellationToken cancel)
    {
        foreach (var member in members)
        {
            if (await store.Get(Thing.Table, caller.Account, member.Value.ThingName, cancel) is not { } thing)
                continue;
            told.Add(RegistryChange.By(caller, RegistryResource.ThingGroupMembership, RegistryVerb.Deleted, thing.Value.Name, group.Name,
                new MembershipDetail(member.Value.MembershipId, group.Id, thing.Value.Id)));
        }
    }

    static void Tell(List<RegistryChange> told, Caller caller, ThingGroup group, IReadOnlyList<ThingGroup> ancestors)
    {
        if (ancestors is [.., var parent])
            told.Add(RegistryChange.By(caller, RegistryResource.ThingGroupHierarchy, RegistryVerb.Deleted, group.Name, parent.Name, new HierarchyDetail(parent, group)));
        told.Add(RegistryChange.By(caller, RegistryResource.ThingGroup, RegistryVerb.Deleted, group.Name, detail: new GroupDetail(group, ancestors)));
    }
}

sealed record DeleteThingGroupRequest
{
    [Label, Length(1, 128), Pattern(Names.ThingGroup)]
    public required string ThingGroupName { get; init; }
    [Query]
    public long? ExpectedVersion { get; init; }
}
