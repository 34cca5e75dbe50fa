using System.Text.Json.Nodes;
using Althing.Api;
using CsCheck;

namespace Althing.Tests.Core;

/// <summary>Random histories of groups and memberships beside a model of a few lines that says what must come out.</summary>
public sealed class GroupHierarchyProperties
{
    const int Names = 9;
    const int Things = 3;

    enum Verb { Create, Delete, Add, Remove, Move }

    sealed record Step(Verb Verb, int Group, int Other, int Thing)
    {
        public override string ToString() => $"{Verb} g{Group} g{Other} t{Thing}";
    }

    sealed class Forest
    {
        public Dictionary<int, int?> Parents { get; } = [];
        public HashSet<(int Thing, int Group)> Members { get; } = [];

        public List<int> Line(int group) => Parents[group] is { } parent ? [.. Line(parent), group] : [group];

        public IEnumerable<int> Below(int group) => Parents.Keys.Where(g => g != group && Line(g).Contains(group));

        /// <summary>Does the step; false when it must be refused.</summary>
        public bool Apply(Step step) => step.Verb switch
        {
            Verb.Create => Create(step.Group, step.Other == step.Group ? null : step.Other),
            Verb.Delete => Delete(step.Group),
            Verb.Add => Change(step.Thing, [step.Group], []),
            Verb.Remove => Change(step.Thing, [], [step.Group]),
            _ => step.Group != step.Other && Change(step.Thing, [step.Group], [step.Other]),
        };

        bool Create(int group, int? parent)
        {
            if (Parents.TryGetValue(group, out var there))
                return there == parent;
            if (parent is { } p && (!Parents.ContainsKey(p) || Line(p).Count == 7))
                return false;
            Parents[group] = parent;
            return true;
        }

        bool Delete(int group)
        {
            if (!Parents.ContainsKey(group))
                return true;
            if (Below(group).Any())
                return false;
            Parents.Remove(group);
            Members.RemoveWhere(m => m.Group == group);
            return true;
        }

        bool Change(int thing, int[] add, int[] remove)
        {
            if (!add.Concat(remove).All(Parents.ContainsKey))
                return false;
            var after = Members.Where(m => m.Thing == thing).Select(m => m.Group).Except(remove).Union(add).ToList();
            var joined = after.Except(Members.Where(m => m.Thing == thing).Select(m => m.Group)).Any();
            if (joined && after.Select(g => Line(g)[0]).Distinct().Count() < after.Count)
                return false;
            Members.RemoveWhere(m => m.Thing == thing);
            Members.UnionWith(after.Select(g => (thing, g)));
            return true;
        }
    }

    static readonly Gen<Step> Steps = Gen.Select(Gen.Enum<Verb>(), Gen.Int[0, Names - 1], Gen.Int[0, Names - 1], Gen.Int[0, Things - 1],
        (verb, group, other, thing) => new Step(verb, group, other, thing));

    [Fact]
    public async Task Groups_and_memberships_are_what_the_history_says()
    {
        await using var house = new SecurityHouse();
        await Steps.Array[10, 60].SampleAsync(async history =>
        {
            var account = house.NewAccount();
            for (var i = 0; i < Things; i++)
                await account.Call("CreateThing", new { thingName = $"t{i}" });
            var forest = new Forest();
            foreach (var step in history)
            {
                var allowed = forest.Apply(step);
                Assert.True(allowed == await Succeeds(account, step), $"{step} should {(allowed ? "succeed" : "be refused")} in: {string.Join("; ", history.AsEnumerable())}");
            }
            await Compare(account, forest);
        }, iter: 30, threads: 1);
    }

    static async Task<bool> Succeeds(SecurityAccount account, Step step)
    {
        var (group, other, thing) = ($"g{step.Group}", $"g{step.Other}", $"t{step.Thing}");
        try
        {
            await (step.Verb switch
            {
                Verb.Create => account.Call("CreateThingGroup", new { thingGroupName = group, parentGroupName = other == group ? null : other }),
                Verb.Delete => account.Call("DeleteThingGroup", new { thingGroupName = group }),
                Verb.Add => account.Call("AddThingToThingGroup", new { thingGroupName = group, thingName = thing }),
                Verb.Remove => account.Call("RemoveThingFromThingGroup", new { thingGroupName = group, thingName = thing }),
                _ => account.Call("UpdateThingGroupsForThing", new { thingName = thing, thingGroupsToAdd = new[] { group }, thingGroupsToRemove = new[] { other } }),
            });
            return true;
        }
        catch (ServiceException refusal) when (refusal.Code is "InvalidRequestException" or "ResourceNotFoundException" or "ResourceAlreadyExistsException")
        {
            return false;
        }
    }

    static async Task Compare(SecurityAccount account, Forest forest)
    {
        static IEnumerable<string> Sorted(IEnumerable<int> groups) => groups.Select(g => $"g{g}").Order(StringComparer.Ordinal);
        static IEnumerable<string> Groups(JsonNode list) => list.AsArray().Select(g => (string)g!["groupName"]!);

        Assert.Equal(Sorted(forest.Parents.Keys), Groups((await account.Call("ListThingGroups", new { }))["thingGroups"]!));
        foreach (var group in forest.Parents.Keys)
        {
            var described = (await account.Call("DescribeThingGroup", new { thingGroupName = $"g{group}" }))["thingGroupMetadata"]!;
            Assert.Equal(forest.Line(group)[..^1].Select(g => $"g{g}"), described["rootToParentThingGroups"] is { } line ? Groups(line) : []);
            var below = await account.Call("ListThingGroups", new { parentGroup = $"g{group}", recursive = true });
            Assert.Equal(Sorted(forest.Below(group)), Groups(below["thingGroups"]!));
            var things = await account.Call("ListThingsInThingGroup", new { thingGroupName = $"g{group}", recursive = true });
            var expected = forest.Members.Where(m => forest.Line(m.Group).Contains(group)).Select(m => $"t{m.Thing}");
            Assert.Equal(expected.Order(StringComparer.Ordinal), things["things"]!.AsArray().Select(t => (string)t!).Order(StringComparer.Ordinal));
        }
        for (var i = 0; i < Things; i++)
        {
            var groups = await account.Call("ListThingGroupsForThing", new { thingName = $"t{i}" });
            Assert.Equal(Sorted(forest.Members.Where(m => m.Thing == i).Select(m => m.Group)), Groups(groups["thingGroups"]!));
        }
    }
}
