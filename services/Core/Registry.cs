using System.Runtime.CompilerServices;
using Althing.Core.ThingGroups;
using Althing.Core.Things;
using Althing.Storage;

namespace Althing.Core;

/// <summary>The registry as other services see it.</summary>
sealed class Registry(IStore store, ThingGroupStore groups) : IRegistry
{
    public async ValueTask<RegisteredThing?> FindThing(AccountId account, string name, CancellationToken cancel) =>
        await store.Get(Thing.Table, account, name, cancel) is { Value: var thing }
            ? new(account, thing.Name, thing.Id, thing.TypeName, thing.Attributes)
            : null;

    public async ValueTask<RegisteredGroup?> FindGroup(AccountId account, string name, CancellationToken cancel) =>
        await store.Get(ThingGroup.Table, account, name, cancel) is { Value: var group } ? new(group.Name, group.Id) : null;

    public async IAsyncEnumerable<string> MembersOf(AccountId account, string group, [EnumeratorCancellation] CancellationToken cancel)
    {
        var all = await groups.Descendants(account, group, cancel);
        all.Add(group);
        foreach (var one in all)
        {
            for (string? after = null; ;)
            {
                var scan = Scan.Under(Key.Prefix(one)) with { After = after };
                var rows = await store.Scan(ThingGroupMember.Table, account, scan, cancel);
                foreach (var row in rows)
                    yield return row.Value.ThingName;
                if (rows.Count < scan.Limit)
                    break;
                after = rows[^1].Cursor;
            }
        }
    }

    public async ValueTask<IReadOnlySet<string>> GroupsOf(AccountId account, string thing, CancellationToken cancel)
    {
        HashSet<string> found = new(StringComparer.Ordinal);
        foreach (var member in await store.Scan(ThingGroupMember.Table, account, Scan.By("thing", thing), cancel))
        {
            if (!found.Add(member.Value.GroupName) || await store.Get(ThingGroup.Table, account, member.Value.GroupName, cancel) is not { } group)
                continue;
            found.UnionWith((await groups.Ancestors(group.Value, cancel)).Select(g => g.Name));
        }
        return found;
    }

    public async ValueTask<bool> RequireThing(Batch batch, AccountId account, string name, CancellationToken cancel)
    {
        if (await store.Get(Thing.Table, account, name, cancel) is not { } row)
            return false;
        batch.Require(Thing.Table, row);
        return true;
    }
}
