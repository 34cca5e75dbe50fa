using Althing.Api;
using Althing.Core.Events;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.ThingGroups;

/// <summary>Puts things into groups and takes them out.</summary>
sealed class GroupMemberships(IStore store, ThingStore things, ThingGroupStore groups, RegistryCommit commit)
{
    /// <summary>What one call does to one thing.</summary>
    public sealed record Change(string ThingName)
    {
        public IReadOnlyList<string> Add { get; init; } = [];
        public IReadOnlyList<string> Remove { get; init; } = [];
        public bool OverrideDynamicGroups { get; init; }
    }

    /// <summary>Carries it out, all or nothing. Groups that the thing is in already, or not in, do not matter.</summary>
    /// <exception cref="ServiceException">ResourceNotFoundException; InvalidRequestException when the thing would be in too many groups or twice in one hierarchy.</exception>
    public async ValueTask Apply(Caller caller, Change change, CancellationToken cancel)
    {
        var thing = await things.Require(caller.Account, change.ThingName, cancel);
        // The thing's own row is written again: two changes at once, or a change and a deletion, meet each other there.
        var batch = new Batch().Replace(Thing.Table, thing, thing.Value);
        var told = await Plan(batch, caller, thing.Value, change, cancel);
        if (told.Count == 0)
            return;
        await commit.Run(batch, told, cancel);
    }

    /// <summary>Adds the change to a batch that writes the thing's own row; answers what is to be told after the commit.</summary>
    /// <exception cref="ServiceException">As with <see cref="Apply"/>.</exception>
    public async ValueTask<IReadOnlyList<RegistryChange>> Plan(Batch batch, Caller caller, Thing thing, Change change, CancellationToken cancel)
    {
        var members = await store.Scan(ThingGroupMember.Table, caller.Account, Scan.By("thing", change.ThingName), cancel);
        var kept = members.ToDictionary(m => m.Value.GroupName, StringComparer.Ordinal);
        List<RegistryChange> told = [];
        foreach (var name in change.Remove.Distinct(StringComparer.Ordinal))
        {
            var group = await groups.Require(caller.Account, name, cancel);
            if (!kept.Remove(name, out var member))
                continue;
            batch.Delete(ThingGroupMember.Table, member);
            told.Add(Told(caller, RegistryVerb.Deleted, member.Value, group.Value, thing));
        }
        List<ThingGroup> added = [];
        foreach (var name in change.Add.Distinct(StringComparer.Ordinal))
        {
            var group = await groups.Require(caller.Account, name, cancel);
            if (kept.ContainsKey(name))
                continue;
            var member = Join(batch, thing, group, change.OverrideDynamicGroups);
            told.Add(Told(caller, RegistryVerb.Created, member, group.Value, thing));
            added.Add(group.Value);
        }
        await CheckPlaces(thing, [.. kept.Keys], added, cancel);
        return told;
    }

    static ThingGroupMember Join(Batch batch, Thing thing, Row<ThingGroup> group, bool overrideDynamicGroups)
    {
        var member = new ThingGroupMember
        {
            Account = thing.Account,
            GroupName = group.Value.Name,
            ThingName = thing.Name,
            MembershipId = Guid.NewGuid().ToString(),
            OverrideDynamicGroups = overrideDynamicGroups,
        };
        batch.Add(ThingGroupMember.Table, member);
        if (group.Value.Deleting)
            batch.Replace(ThingGroup.Table, group, group.Value with { Deleting = false });
        else
            batch.Require(ThingGroup.Table, group);
        return member;
    }

    async ValueTask CheckPlaces(Thing thing, IReadOnlyList<string> kept, List<ThingGroup> added, CancellationToken cancel)
    {
        if (added.Count == 0)
            return;
        if (kept.Count + added.Count > ThingGroup.GroupsPerThingMax)
        {
            throw Refuse.InvalidRequest(
                $"A thing is in at most {ThingGroup.GroupsPerThingMax} groups; '{thing.Name}' would be in {kept.Count + added.Count}. Remove it from one first.");
        }
        Dictionary<string, string> groupByRoot = new(StringComparer.Ordinal);
        foreach (var name in kept)
        {
            if (await store.Get(ThingGroup.Table, thing.Account, name, cancel) is { } group)
                groupByRoot[await groups.RootOf(group.Value, cancel)] = name;
        }
        foreach (var group in added)
        {
            var root = await groups.RootOf(group, cancel);
            if (!groupByRoot.TryAdd(root, group.Name))
            {
                throw Refuse.InvalidRequest(
                    $"Thing {thing.Name} cannot be in two groups of one hierarchy: '{groupByRoot[root]}' and '{group.Name}' both belong to '{root}'. Remove it from one of them.");
            }
        }
    }

    static RegistryChange Told(Caller caller, RegistryVerb verb, ThingGroupMember member, ThingGroup group, Thing thing) =>
        new(RegistryResource.ThingGroupMembership, verb, caller.Account, thing.Name, group.Name)
        {
            Region = caller.Region,
            Detail = new MembershipDetail(member.MembershipId, group.Id, thing.Id),
        };
}
