using Althing.Api;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.ThingGroups;

/// <summary>What several operations ask of thing groups.</summary>
sealed class ThingGroupStore(IStore store)
{
    public static string Arn(string name, Caller caller) => caller.ArnOf("iot", "thinggroup/" + name);

    /// <summary>What the group's tags are kept under.</summary>
    public static string TagKey(string name) => "iot:thinggroup/" + name;

    /// <exception cref="ServiceException">ResourceNotFoundException.</exception>
    public async ValueTask<Row<ThingGroup>> Require(AccountId account, string name, CancellationToken cancel) =>
        await store.Get(ThingGroup.Table, account, name, cancel)
        ?? throw Refuse.ResourceNotFound($"Thing group {name} is not found. ListThingGroups shows those there are.");

    /// <summary>The group's ancestors from the root down to its parent.</summary>
    public async ValueTask<IReadOnlyList<ThingGroup>> Ancestors(ThingGroup group, CancellationToken cancel)
    {
        List<ThingGroup> line = [];
        for (var name = group.ParentName; name is not null;)
        {
            if (await store.Get(ThingGroup.Table, group.Account, name, cancel) is not { } parent)
                break;
            line.Add(parent.Value);
            name = parent.Value.ParentName;
        }
        line.Reverse();
        return line;
    }

    /// <summary>The name of the group at the top of the hierarchy.</summary>
    public async ValueTask<string> RootOf(ThingGroup group, CancellationToken cancel) =>
        await Ancestors(group, cancel) is [var root, ..] ? root.Name : group.Name;

    /// <summary>The groups right below this one.</summary>
    public static Scan ChildrenOf(string name) => new() { Index = "parent", Prefix = Key.Prefix(name) };

    /// <summary>The names of all groups below this one, in order of name.</summary>
    public async ValueTask<SortedSet<string>> Descendants(AccountId account, string name, CancellationToken cancel)
    {
        SortedSet<string> found = new(StringComparer.Ordinal);
        Queue<string> open = new([name]);
        while (open.TryDequeue(out var next))
        {
            foreach (var child in await store.Scan(ThingGroup.Table, account, ChildrenOf(next), cancel))
            {
                if (found.Add(child.Value.Name))
                    open.Enqueue(child.Value.Name);
            }
        }
        return found;
    }

    /// <exception cref="ServiceException">InvalidRequestException.</exception>
    public static void CheckAttributes(string name, IReadOnlyDictionary<string, string> attributes)
    {
        if (attributes.Count > ThingGroup.AttributesMax)
            throw Refuse.InvalidRequest($"A thing group has at most {ThingGroup.AttributesMax} attributes; '{name}' would have {attributes.Count}.");
    }
}
