using System.Text.Json.Nodes;
using Althing.Storage;
using static Althing.Tests.Core.SecurityAccount;

namespace Althing.Tests.Core;

public sealed class ThingGroupTests
{
    static async Task<SecurityAccount> WithGroups(SecurityHouse house, params string[] groups)
    {
        var account = house.NewAccount();
        foreach (var group in groups)
        {
            var parts = group.Split('/');
            await account.Call("CreateThingGroup", new { thingGroupName = parts[^1], parentGroupName = parts.Length > 1 ? parts[^2] : null });
        }
        return account;
    }

    static string[] Groups(JsonObject answer) => [.. answer["thingGroups"]!.AsArray().Select(g => (string)g!["groupName"]!)];

    static string[] Things(JsonObject answer) => [.. answer["things"]!.AsArray().Select(t => (string)t!)];

    static object Attributes(int count) =>
        new { attributePayload = new { attributes = Enumerable.Range(0, count).ToDictionary(i => $"a{i}", i => $"v{i}") } };

    [Fact]
    public async Task A_group_tells_its_place_in_the_hierarchy()
    {
        await using var house = new SecurityHouse();
        var account = await WithGroups(house, "top", "top/mid", "mid/low");
        var low = await account.Call("DescribeThingGroup", new { thingGroupName = "low" });
        Assert.Equal("mid", (string?)low["thingGroupMetadata"]!["parentGroupName"]);
        Assert.Equal(["top", "mid"], low["thingGroupMetadata"]!["rootToParentThingGroups"]!.AsArray().Select(g => (string)g!["groupName"]!));
        Assert.Equal(account.Arn("thinggroup/top"), (string?)low["thingGroupMetadata"]!["rootToParentThingGroups"]![0]!["groupArn"]);
        Assert.Equal(account.Arn("thinggroup/low"), (string?)low["thingGroupArn"]);
        Assert.Equal(1, (long?)low["version"]);
        var top = await account.Call("DescribeThingGroup", new { thingGroupName = "top" });
        Assert.Null(top["thingGroupMetadata"]!["parentGroupName"]);
        Assert.Equal("ResourceNotFoundException", (await house.NewAccount().Refused("DescribeThingGroup", new { thingGroupName = "top" })).Code);
    }

    [Fact]
    public async Task The_same_group_again_is_the_same_and_another_is_refused()
    {
        await using var house = new SecurityHouse();
        var account = await WithGroups(house, "top");
        object[] tags = [Tag("k", "v")];
        var wanted = new { thingGroupName = "g", parentGroupName = "top", thingGroupProperties = Attributes(2), tags };
        var made = await account.Call("CreateThingGroup", wanted);
        Assert.Equal((string?)made["thingGroupId"], (string?)(await account.Call("CreateThingGroup", wanted))["thingGroupId"]);
        foreach (var other in new object[]
        {
            new { thingGroupName = "g", parentGroupName = "top", thingGroupProperties = Attributes(2) },
            new { thingGroupName = "g", thingGroupProperties = Attributes(2), tags },
            new { thingGroupName = "g", parentGroupName = "top", tags },
        })
            Assert.Equal("ResourceAlreadyExistsException", (await account.Refused("CreateThingGroup", other)).Code);
    }

    [Fact]
    public async Task A_hierarchy_is_seven_deep_and_a_group_has_a_hundred_children_at_most()
    {
        await using var house = new SecurityHouse();
        var account = await WithGroups(house, "g1", "g1/g2", "g2/g3", "g3/g4", "g4/g5", "g5/g6", "g6/g7");
        var refusal = await account.Refused("CreateThingGroup", new { thingGroupName = "g8", parentGroupName = "g7" });
        Assert.Equal("InvalidRequestException", refusal.Code);
        Assert.Contains("7", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("InvalidRequestException", (await account.Refused("CreateThingGroup", new { thingGroupName = "g", parentGroupName = "none" })).Code);
        foreach (var i in Enumerable.Range(0, 98))
            await account.Call("CreateThingGroup", new { thingGroupName = $"c{i}", parentGroupName = "g1" });
        // The last free place is taken once, whoever comes first.
        var last = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => account.Tries("CreateThingGroup", new { thingGroupName = $"last{i}", parentGroupName = "g1" })));
        Assert.Single(last, true);
    }

    [Fact]
    public async Task A_group_has_fifty_attributes_at_most()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateThingGroup", new { thingGroupName = "g", thingGroupProperties = Attributes(50) });
        Assert.Equal("InvalidRequestException", (await account.Refused("CreateThingGroup", new { thingGroupName = "h", thingGroupProperties = Attributes(51) })).Code);
        var more = new { attributePayload = new { merge = true, attributes = new { more = "x" } } };
        Assert.Equal("InvalidRequestException", (await account.Refused("UpdateThingGroup", new { thingGroupName = "g", thingGroupProperties = more })).Code);
    }

    [Fact]
    public async Task An_update_merges_or_replaces_and_raises_the_version()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateThingGroup", new { thingGroupName = "g", thingGroupProperties = Attributes(2) });
        async Task<JsonNode> Update(object properties, long version)
        {
            Assert.Equal(version + 1, (long?)(await account.Call("UpdateThingGroup", new { thingGroupName = "g", expectedVersion = version, thingGroupProperties = properties }))["version"]);
            return (await account.Call("DescribeThingGroup", new { thingGroupName = "g" }))["thingGroupProperties"]!;
        }
        var merged = await Update(new { attributePayload = new { merge = true, attributes = new { a0 = "", b = "2" } } }, 1);
        Assert.Equal("a1=v1,b=2", string.Join(',', merged["attributePayload"]!["attributes"]!.AsObject().OrderBy(a => a.Key).Select(a => $"{a.Key}={a.Value}")));
        var described = await Update(new { thingGroupDescription = "text" }, 2);
        Assert.Equal(2, described["attributePayload"]!["attributes"]!.AsObject().Count);
        var replaced = await Update(new { attributePayload = new { attributes = new { c = "3" } } }, 3);
        Assert.Equal("c", Assert.Single(replaced["attributePayload"]!["attributes"]!.AsObject()).Key);
        Assert.Equal("text", (string?)replaced["thingGroupDescription"]);
        Assert.Equal("VersionConflictException", (await account.Refused("UpdateThingGroup", new { thingGroupName = "g", expectedVersion = 1, thingGroupProperties = new { } })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("UpdateThingGroup", new { thingGroupName = "none", thingGroupProperties = new { } })).Code);
    }

    [Fact]
    public async Task A_deleted_group_takes_its_policies_tags_and_memberships_with_it()
    {
        await using var house = new SecurityHouse();
        var account = await WithGroups(house, "top", "top/low");
        await account.Policy("p", Document("iot:*", "*"));
        await account.Attach("p", account.Arn("thinggroup/low"));
        await account.Call("TagResource", new { resourceArn = account.Arn("thinggroup/low"), tags = new[] { Tag("k", "v") } });
        await account.Call("CreateThing", new { thingName = "t" });
        await account.Call("AddThingToThingGroup", new { thingName = "t", thingGroupName = "low" });
        var refusal = await account.Refused("DeleteThingGroup", new { thingGroupName = "top" });
        Assert.Equal("InvalidRequestException", refusal.Code);
        Assert.Contains("child groups", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("VersionConflictException", (await account.Refused("DeleteThingGroup", new { thingGroupName = "low", expectedVersion = 2 })).Code);
        await account.Call("DeleteThingGroup", new { thingGroupName = "low", expectedVersion = 1 });
        await account.Call("DeleteThingGroup", new { thingGroupName = "low" });
        Assert.Empty((await account.Call("ListTargetsForPolicy", new { policyName = "p" }))["targets"]!.AsArray());
        await account.Call("DeletePolicy", new { policyName = "p" });
        await account.Call("CreateThingGroup", new { thingGroupName = "low" });
        Assert.Empty(Things(await account.Call("ListThingsInThingGroup", new { thingGroupName = "low" })));
        Assert.Empty(Groups(await account.Call("ListThingGroupsForThing", new { thingName = "t" })));
        Assert.Empty((await account.Call("ListTagsForResource", new { resourceArn = account.Arn("thinggroup/low") }))["tags"]!.AsArray());
        await account.Call("DeleteThingGroup", new { thingGroupName = "top" });
    }

    [Fact]
    public async Task Groups_are_listed_by_parent_depth_and_prefix()
    {
        await using var house = new SecurityHouse();
        var account = await WithGroups(house, "top", "top/a1", "top/a2", "a1/a3", "a3/b", "root");
        async Task<string[]> List(object request) => Groups(await account.Call("ListThingGroups", request));
        Assert.Equal(["a1", "a2", "a3", "b", "root", "top"], await List(new { }));
        Assert.Equal(["a1", "a2", "a3", "b", "root", "top"], await List(new { recursive = true }));
        Assert.Equal(["root", "top"], await List(new { recursive = false }));
        Assert.Equal(["a1", "a2", "a3"], await List(new { namePrefixFilter = "a" }));
        Assert.Equal(["a1", "a2"], await List(new { parentGroup = "top" }));
        Assert.Equal(["a1", "a2", "a3", "b"], await List(new { parentGroup = "top", recursive = true }));
        Assert.Equal(["a1", "a2", "a3"], await List(new { parentGroup = "top", recursive = true, namePrefixFilter = "a" }));
        Assert.Equal(["a2"], await List(new { parentGroup = "top", namePrefixFilter = "a2" }));
        Assert.Empty(await List(new { parentGroup = "root" }));
        Assert.Equal("ResourceNotFoundException", (await account.Refused("ListThingGroups", new { parentGroup = "none" })).Code);
        var page = await account.Call("ListThingGroups", new { parentGroup = "top", recursive = true, maxResults = 3 });
        Assert.Equal(["a1", "a2", "a3"], Groups(page));
        Assert.Equal(["b"], await List(new { parentGroup = "top", recursive = true, maxResults = 3, nextToken = (string)page["nextToken"]! }));
        Assert.Empty(Groups(await house.NewAccount().Call("ListThingGroups", new { })));
    }

    [Fact]
    public async Task A_thing_is_in_ten_groups_at_most_and_in_one_of_each_hierarchy()
    {
        await using var house = new SecurityHouse();
        var account = await WithGroups(house, ["top", "top/a", "top/b", "a/c", .. Enumerable.Range(0, 10).Select(i => $"g{i}")]);
        await account.Call("CreateThing", new { thingName = "t" });
        object To(string group) => new { thingName = "t", thingGroupName = group };
        await account.Call("AddThingToThingGroup", To("a"));
        await account.Call("AddThingToThingGroup", To("a"));
        foreach (var relative in new[] { "top", "b", "c" })
        {
            var refusal = await account.Refused("AddThingToThingGroup", To(relative));
            Assert.Equal("InvalidRequestException", refusal.Code);
            Assert.Contains("hierarchy", refusal.Message, StringComparison.Ordinal);
        }
        foreach (var i in Enumerable.Range(0, 9))
            await account.Call("AddThingToThingGroup", To($"g{i}"));
        Assert.Contains("10", (await account.Refused("AddThingToThingGroup", To("g9"))).Message, StringComparison.Ordinal);
        await account.Call("UpdateThingGroupsForThing", new { thingName = "t", thingGroupsToAdd = new[] { "g9", "c" }, thingGroupsToRemove = new[] { "g0", "a" } });
        string[] moved = ["c", .. Enumerable.Range(1, 9).Select(i => $"g{i}")];
        Assert.Equal(moved, Groups(await account.Call("ListThingGroupsForThing", new { thingName = "t" })));
        await account.Call("RemoveThingFromThingGroup", To("c"));
        await account.Call("RemoveThingFromThingGroup", To("c"));
        await account.Call("AddThingToThingGroup", new { thingArn = account.Arn("thing/t"), thingGroupArn = account.Arn("thinggroup/top"), overrideDynamicGroups = true });
    }

    [Fact]
    public async Task Memberships_name_things_and_groups_that_are_there()
    {
        await using var house = new SecurityHouse();
        var account = await WithGroups(house, "g");
        var other = house.NewAccount();
        await account.Call("CreateThing", new { thingName = "t" });
        foreach (var operation in new[] { "AddThingToThingGroup", "RemoveThingFromThingGroup" })
        {
            Assert.Equal("InvalidRequestException", (await account.Refused(operation, new { thingName = "t" })).Code);
            Assert.Equal("InvalidRequestException", (await account.Refused(operation, new { thingGroupName = "g" })).Code);
            Assert.Equal("InvalidRequestException", (await account.Refused(operation, new { thingName = "t", thingGroupArn = "arn:nonsense" })).Code);
            Assert.Equal("InvalidRequestException", (await account.Refused(operation, new { thingArn = other.Arn("thing/t"), thingGroupName = "g" })).Code);
            Assert.Equal("ResourceNotFoundException", (await account.Refused(operation, new { thingName = "none", thingGroupName = "g" })).Code);
            Assert.Equal("ResourceNotFoundException", (await account.Refused(operation, new { thingName = "t", thingGroupName = "none" })).Code);
            Assert.Equal("ResourceNotFoundException", (await other.Refused(operation, new { thingName = "t", thingGroupName = "g" })).Code);
        }
        Assert.Equal("InvalidRequestException", (await account.Refused("UpdateThingGroupsForThing", new { thingGroupsToAdd = new[] { "g" } })).Code);
        Assert.Equal("InvalidRequestException", (await account.Refused("UpdateThingGroupsForThing", new { thingName = "t", thingGroupsToAdd = new[] { "g" }, thingGroupsToRemove = new[] { "g" } })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("UpdateThingGroupsForThing", new { thingName = "t", thingGroupsToAdd = new[] { "none" } })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("ListThingsInThingGroup", new { thingGroupName = "none" })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("ListThingGroupsForThing", new { thingName = "none" })).Code);
    }

    [Fact]
    public async Task Things_of_a_hierarchy_are_paged_through_group_after_group()
    {
        await using var house = new SecurityHouse();
        var account = await WithGroups(house, "m", "m/a", "m/z", "a/deep", "m/empty");
        HashSet<string> all = [];
        foreach (var group in new[] { "m", "a", "z", "deep" })
        {
            foreach (var i in Enumerable.Range(0, 5))
            {
                all.Add($"{group}-{i}");
                await account.Call("CreateThing", new { thingName = $"{group}-{i}" });
                await account.Call("AddThingToThingGroup", new { thingName = $"{group}-{i}", thingGroupName = group });
            }
        }
        Assert.Equal(5, Things(await account.Call("ListThingsInThingGroup", new { thingGroupName = "m" })).Length);
        List<string> seen = [];
        string? token = null;
        do
        {
            var page = await account.Call("ListThingsInThingGroup", new { thingGroupName = "m", recursive = true, maxResults = 3, nextToken = token });
            Assert.InRange(Things(page).Length, 1, 3);
            seen.AddRange(Things(page));
            token = (string?)page["nextToken"];
        }
        while (token is not null);
        Assert.Equal(all.Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_group_that_gains_a_thing_while_it_is_deleted_leaves_no_membership_behind()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateThing", new { thingName = "t" });
        foreach (var round in Enumerable.Range(0, 10))
        {
            await account.Call("CreateThingGroup", new { thingGroupName = "g" });
            var deletion = account.Tries("DeleteThingGroup", new { thingGroupName = "g" });
            var addition = account.Tries("AddThingToThingGroup", new { thingName = "t", thingGroupName = "g" });
            var child = account.Tries("CreateThingGroup", new { thingGroupName = $"c{round}", parentGroupName = "g" });
            var deleted = await deletion;
            await addition;
            var hasChild = await child;
            Assert.NotEqual(deleted, hasChild);
            var members = await house.Store.Scan(Althing.Core.ThingGroups.ThingGroupMember.Table, account.Id, Scan.All, default);
            Assert.True(!deleted || members.Count == 0);
            if (hasChild)
                await account.Call("DeleteThingGroup", new { thingGroupName = $"c{round}" });
            await account.Call("DeleteThingGroup", new { thingGroupName = "g" });
        }
    }

    [Fact]
    public async Task A_thing_that_joins_at_the_last_moment_leaves_with_the_group()
    {
        await using var house = new SecurityHouse();
        var account = await WithGroups(house, "g");
        await account.Policy("p", Document("iot:*", "*"));
        await account.Call("CreateThing", new { thingName = "t" });
        bool IsDeletion(Batch batch) => batch.Steps.Any(s => s is { Verb: BatchVerb.Delete, Table.Name: "thing-groups" });
        house.Store.Between(IsDeletion, () => account.Call("AddThingToThingGroup", new { thingName = "t", thingGroupName = "g" }));
        await account.Call("DeleteThingGroup", new { thingGroupName = "g" });
        Assert.Empty(Groups(await account.Call("ListThingGroupsForThing", new { thingName = "t" })));
        await account.Call("CreateThingGroup", new { thingGroupName = "g" });
        house.Store.Between(IsDeletion, () => account.Attach("p", account.Arn("thinggroup/g")));
        await account.Call("DeleteThingGroup", new { thingGroupName = "g" });
        Assert.Empty((await account.Call("ListTargetsForPolicy", new { policyName = "p" }))["targets"]!.AsArray());
        await account.Call("CreateThingGroup", new { thingGroupName = "g" });
        house.Store.Between(IsDeletion, () => account.Call("CreateThingGroup", new { thingGroupName = "child", parentGroupName = "g" }));
        Assert.Equal("InvalidRequestException", (await account.Refused("DeleteThingGroup", new { thingGroupName = "g" })).Code);
    }

    [Fact]
    public async Task A_group_that_goes_while_a_thing_joins_is_not_joined()
    {
        await using var house = new SecurityHouse();
        var account = await WithGroups(house, "g");
        await account.Call("CreateThing", new { thingName = "t" });
        house.Store.Between(
            batch => batch.Steps.Any(s => s is { Verb: BatchVerb.Put, Table.Name: "thing-group-members" }),
            () => account.Call("DeleteThingGroup", new { thingGroupName = "g" }));
        Assert.Equal("ResourceNotFoundException", (await account.Refused("AddThingToThingGroup", new { thingName = "t", thingGroupName = "g" })).Code);
    }

    [Fact]
    public async Task A_type_deprecated_while_a_thing_takes_it_is_not_taken()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateThingType", new { thingTypeName = "pumps" });
        house.Store.Between(
            batch => batch.Steps.Any(s => s is { Verb: BatchVerb.Put, Table.Name: "things" }),
            () => account.Call("DeprecateThingType", new { thingTypeName = "pumps" }));
        Assert.Equal("InvalidRequestException", (await account.Refused("CreateThing", new { thingName = "t", thingTypeName = "pumps" })).Code);
    }
}
