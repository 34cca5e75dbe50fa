using System.Text.Json.Nodes;
using Althing.Storage;

namespace Althing.Tests.Core;

public sealed class ThingTests
{
    static object Attributes(int count) =>
        new { attributes = Enumerable.Range(0, count).ToDictionary(i => $"a{i}", i => $"v{i}") };

    static string[] NamesIn(JsonNode answer) => [.. answer["things"]!.AsArray().Select(t => (string)t!["thingName"]!)];

    [Fact]
    public async Task Creating_the_same_thing_twice_answers_the_same_and_another_of_its_name_is_refused()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateBillingGroup", new { billingGroupName = "cost" });
        var wanted = new { thingName = "pump", attributePayload = Attributes(2), billingGroupName = "cost" };
        var first = await account.Call("CreateThing", wanted);
        var again = await account.Call("CreateThing", wanted);
        Assert.Equal(account.Arn("thing/pump"), (string?)first["thingArn"]);
        Assert.Equal((string?)first["thingId"], (string?)again["thingId"]);
        foreach (var other in new object[]
        {
            new { thingName = "pump" },
            new { thingName = "pump", attributePayload = Attributes(3) },
            new { thingName = "pump", attributePayload = Attributes(2), billingGroupName = "other" },
        })
        {
            var refusal = await account.Refused("CreateThing", other);
            Assert.Equal("ResourceAlreadyExistsException", refusal.Code);
            Assert.Contains(refusal.Fields, f => f.Name == "resourceId" && f.Value == (string?)first["thingId"]);
        }
    }

    [Fact]
    public async Task A_thing_is_described_as_it_was_made()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateThingType", new { thingTypeName = "pumps" });
        await account.Call("CreateBillingGroup", new { billingGroupName = "cost" });
        await account.Call("CreateThing", new { thingName = "pump", thingTypeName = "pumps", billingGroupName = "cost", attributePayload = Attributes(1) });
        var thing = await account.Call("DescribeThing", new { thingName = "pump" });
        Assert.Equal("pump", (string?)thing["defaultClientId"]);
        Assert.Equal("pumps", (string?)thing["thingTypeName"]);
        Assert.Equal("cost", (string?)thing["billingGroupName"]);
        Assert.Equal(1, (long?)thing["version"]);
        Assert.Equal("v0", (string?)thing["attributes"]!["a0"]);
    }

    [Fact]
    public async Task What_a_thing_refers_to_must_be_there()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        Assert.Equal("ResourceNotFoundException", (await account.Refused("CreateThing", new { thingName = "a", thingTypeName = "none" })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("CreateThing", new { thingName = "a", billingGroupName = "none" })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DescribeThing", new { thingName = "a" })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("UpdateThing", new { thingName = "a" })).Code);
    }

    [Theory]
    [InlineData(null, 3, 4)]
    [InlineData("pumps", 50, 51)]
    public async Task Attributes_are_limited_more_without_a_type(string? type, int most, int tooMany)
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateThingType", new { thingTypeName = "pumps" });
        await account.Call("CreateThing", new { thingName = "a", thingTypeName = type, attributePayload = Attributes(most) });
        var refusal = await account.Refused("CreateThing", new { thingName = "b", thingTypeName = type, attributePayload = Attributes(tooMany) });
        Assert.Equal("InvalidRequestException", refusal.Code);
        Assert.Contains($"{most}", refusal.Message, StringComparison.Ordinal);
        var grown = new { attributes = new Dictionary<string, string> { ["more"] = "x" }, merge = true };
        Assert.Equal("InvalidRequestException", (await account.Refused("UpdateThing", new { thingName = "a", attributePayload = grown })).Code);
        if (type is not null)
            Assert.Equal("InvalidRequestException", (await account.Refused("UpdateThing", new { thingName = "a", removeThingType = true })).Code);
    }

    [Theory]
    [InlineData(true, "a=1,b=9,c=3")]
    [InlineData(false, "b=9,c=3")]
    [InlineData(null, "b=9,c=3")]
    public async Task An_update_merges_or_replaces_attributes_and_an_empty_value_removes_one(bool? merge, string expected)
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateThing", new { thingName = "t", attributePayload = new { attributes = new { a = "1", b = "2", gone = "x" } } });
        await account.Call("UpdateThing", new { thingName = "t", attributePayload = new { merge, attributes = new { b = "9", c = "3", gone = "" } } });
        var thing = await account.Call("DescribeThing", new { thingName = "t" });
        Assert.Equal(expected, string.Join(',', thing["attributes"]!.AsObject().OrderBy(a => a.Key).Select(a => $"{a.Key}={a.Value}")));
        Assert.Equal(2, (long?)thing["version"]);
    }

    [Fact]
    public async Task The_expected_version_guards_updates_and_deletions()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateThing", new { thingName = "t" });
        await account.Call("UpdateThing", new { thingName = "t", expectedVersion = 1 });
        Assert.Equal("VersionConflictException", (await account.Refused("UpdateThing", new { thingName = "t", expectedVersion = 1 })).Code);
        Assert.Equal("VersionConflictException", (await account.Refused("DeleteThing", new { thingName = "t", expectedVersion = 1 })).Code);
        await account.Call("DeleteThing", new { thingName = "t", expectedVersion = 2 });
        await account.Call("DeleteThing", new { thingName = "t", expectedVersion = 2 });
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DescribeThing", new { thingName = "t" })).Code);
    }

    [Fact]
    public async Task Many_updates_at_once_all_count()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateThing", new { thingName = "t" });
        await Task.WhenAll(Enumerable.Range(0, 3).Select(i => Task.Run(() => account.Call("UpdateThing",
            new { thingName = "t", attributePayload = new { merge = true, attributes = new Dictionary<string, string> { [$"a{i}"] = "x" } } }))));
        var thing = await account.Call("DescribeThing", new { thingName = "t" });
        Assert.Equal(4, (long?)thing["version"]);
        Assert.Equal(3, thing["attributes"]!.AsObject().Count);
    }

    [Fact]
    public async Task A_type_is_changed_and_removed()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        foreach (var type in new[] { "one", "two" })
            await account.Call("CreateThingType", new { thingTypeName = type });
        await account.Call("CreateThing", new { thingName = "t", thingTypeName = "one" });
        Assert.Equal("InvalidRequestException", (await account.Refused("UpdateThing", new { thingName = "t", thingTypeName = "two", removeThingType = true })).Code);
        await account.Call("UpdateThing", new { thingName = "t", thingTypeName = "two" });
        Assert.Equal("two", (string?)(await account.Call("DescribeThing", new { thingName = "t" }))["thingTypeName"]);
        await account.Call("UpdateThing", new { thingName = "t", removeThingType = true });
        Assert.Null((await account.Call("DescribeThing", new { thingName = "t" }))["thingTypeName"]);
    }

    [Fact]
    public async Task A_thing_with_principals_stays_and_one_in_groups_leaves_them()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await account.Device();
        await account.Call("CreateThing", new { thingName = "t" });
        await account.Call("CreateThingGroup", new { thingGroupName = "g" });
        await account.Call("AddThingToThingGroup", new { thingName = "t", thingGroupName = "g" });
        await account.Call("AttachThingPrincipal", new { thingName = "t", principal = device.Arn });
        var refusal = await account.Refused("DeleteThing", new { thingName = "t" });
        Assert.Equal("InvalidRequestException", refusal.Code);
        Assert.Contains("principals", refusal.Message, StringComparison.Ordinal);
        await account.Call("DetachThingPrincipal", new { thingName = "t", principal = device.Arn });
        await account.Call("DeleteThing", new { thingName = "t" });
        Assert.Empty((await account.Call("ListThingsInThingGroup", new { thingGroupName = "g" }))["things"]!.AsArray());
        await account.Call("CreateThing", new { thingName = "t" });
        Assert.Empty((await account.Call("ListThingGroupsForThing", new { thingName = "t" }))["thingGroups"]!.AsArray());
    }

    [Fact]
    public async Task Things_are_listed_by_type_and_attribute_and_prefix()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateThingType", new { thingTypeName = "pumps" });
        await account.Call("CreateThing", new { thingName = "a", thingTypeName = "pumps", attributePayload = new { attributes = new { site = "north-1" } } });
        await account.Call("CreateThing", new { thingName = "b", attributePayload = new { attributes = new { site = "north-2" } } });
        await account.Call("CreateThing", new { thingName = "c", thingTypeName = "pumps", attributePayload = new { attributes = new { site = "south", other = "north-1" } } });
        await account.Call("CreateThing", new { thingName = "d" });
        Assert.Equal(["a", "b", "c", "d"], NamesIn(await account.Call("ListThings", new { })));
        Assert.Equal(["a", "c"], NamesIn(await account.Call("ListThings", new { thingTypeName = "pumps" })));
        Assert.Equal(["a"], NamesIn(await account.Call("ListThings", new { attributeName = "site", attributeValue = "north-1" })));
        Assert.Equal(["a", "b"], NamesIn(await account.Call("ListThings", new { attributeName = "site", attributeValue = "north", usePrefixAttributeValue = true })));
        Assert.Equal(["a"], NamesIn(await account.Call("ListThings", new { attributeName = "site", attributeValue = "north", usePrefixAttributeValue = true, thingTypeName = "pumps" })));
        Assert.Equal(["a", "b", "c"], NamesIn(await account.Call("ListThings", new { attributeName = "site" })));
        Assert.Empty(NamesIn(await account.Call("ListThings", new { attributeName = "site", attributeValue = "north" })));
        Assert.Equal("InvalidRequestException", (await account.Refused("ListThings", new { attributeValue = "north" })).Code);
    }

    [Fact]
    public async Task Pages_hold_every_thing_once_and_their_tokens_are_of_one_listing_and_account()
    {
        await using var house = new SecurityHouse();
        var (account, other) = (house.NewAccount(), house.NewAccount());
        foreach (var i in Enumerable.Range(0, 7))
            await account.Call("CreateThing", new { thingName = $"t{i}" });
        List<string> seen = [];
        string? token = null;
        do
        {
            var page = await account.Call("ListThings", new { maxResults = 3, nextToken = token });
            seen.AddRange(NamesIn(page));
            token = (string?)page["nextToken"];
            if (token is not null)
            {
                Assert.Equal("InvalidRequestException", (await account.Refused("ListThings", new { nextToken = token, thingTypeName = "x" })).Code);
                Assert.Equal("InvalidRequestException", (await other.Refused("ListThings", new { nextToken = token })).Code);
            }
        }
        while (token is not null);
        Assert.Equal(Enumerable.Range(0, 7).Select(i => $"t{i}"), seen);
    }

    [Fact]
    public async Task Accounts_do_not_see_each_others_things()
    {
        await using var house = new SecurityHouse();
        var (one, two) = (house.NewAccount(), house.NewAccount());
        await one.Call("CreateThing", new { thingName = "t" });
        await two.Call("CreateThing", new { thingName = "t", attributePayload = Attributes(1) });
        await two.Call("DeleteThing", new { thingName = "t" });
        Assert.Empty(NamesIn(await two.Call("ListThings", new { })));
        Assert.Equal(["t"], NamesIn(await one.Call("ListThings", new { })));
        Assert.Equal("ResourceNotFoundException", (await two.Refused("DescribeThing", new { thingName = "t" })).Code);
    }

    [Fact]
    public async Task Describing_and_listing_ask_storage_as_often_with_many_things_as_with_few()
    {
        await using var house = new SecurityHouse();
        var (few, many) = (house.NewAccount(), house.NewAccount());
        await few.Call("CreateThing", new { thingName = "t0" });
        await Task.WhenAll(Enumerable.Range(0, 300).Select(i => many.Call("CreateThing", new { thingName = $"t{i}" })));
        async Task<int> Cost(SecurityAccount account, string operation, object request)
        {
            var before = house.Store.Calls;
            await account.Call(operation, request);
            return house.Store.Calls - before;
        }
        foreach (var (operation, request) in new (string, object)[]
        {
            ("DescribeThing", new { thingName = "t0" }), ("ListThings", new { maxResults = 1 }), ("CreateThing", new { thingName = "new" }),
            ("ListThings", new { attributeName = "a", attributeValue = "b" }), ("UpdateThing", new { thingName = "t0" }),
        })
            Assert.Equal(await Cost(few, operation, request), await Cost(many, operation, request));
    }
}
