using System.Text.Json.Nodes;

namespace Althing.Tests.Core;

public sealed class RegistryEventTests
{
    static readonly string[] Types = ["THING", "THING_GROUP", "THING_TYPE", "THING_GROUP_MEMBERSHIP", "THING_GROUP_HIERARCHY", "THING_TYPE_ASSOCIATION"];

    static Task Enable(SecurityAccount account, bool enabled, params IEnumerable<string> types) =>
        account.Call("UpdateEventConfigurations", new { eventConfigurations = types.ToDictionary(t => t, _ => new Dictionary<string, bool> { ["Enabled"] = enabled }) });

    static async Task<List<(string Topic, JsonNode Payload)>> Told(SecurityHouse house, SecurityAccount account)
    {
        await house.EventsSettled;
        List<(string, JsonNode)> told = [];
        while (house.Published.TryDequeue(out var published))
        {
            if (published.Account == account.Id)
                told.Add((published.Message.Topic["$aws/events/".Length..], JsonNode.Parse(published.Message.Payload.Span)!));
        }
        return told;
    }

    [Fact]
    public async Task Events_are_off_until_they_are_asked_for_by_type()
    {
        await using var house = new SecurityHouse();
        var (account, other) = (house.NewAccount(), house.NewAccount());
        var before = await account.Call("DescribeEventConfigurations", new { });
        Assert.Equal(11, before["eventConfigurations"]!.AsObject().Count);
        Assert.All(before["eventConfigurations"]!.AsObject(), t => Assert.False((bool?)t.Value!["Enabled"]));
        Assert.Null(before["creationDate"]);
        await account.Call("CreateThing", new { thingName = "quiet" });
        Assert.Empty(await Told(house, account));
        await Enable(account, true, "THING", "JOB");
        await account.Call("CreateThingGroup", new { thingGroupName = "quiet" });
        await account.Call("CreateThing", new { thingName = "t" });
        await other.Call("CreateThing", new { thingName = "t" });
        Assert.Equal("thing/t/created", Assert.Single(await Told(house, account)).Topic);
        var after = await account.Call("DescribeEventConfigurations", new { });
        Assert.Equal(["JOB", "THING"], after["eventConfigurations"]!.AsObject().Where(t => (bool)t.Value!["Enabled"]!).Select(t => t.Key).Order());
        Assert.NotNull(after["creationDate"]);
        await Enable(account, false, "THING");
        await account.Call("DeleteThing", new { thingName = "t" });
        Assert.Empty(await Told(house, account));
        Assert.Equal("InvalidRequestException", (await account.Refused("UpdateEventConfigurations",
            new { eventConfigurations = new Dictionary<string, object> { ["NOTHING"] = new { } } })).Code);
    }

    [Fact]
    public async Task Things_tell_of_themselves_and_of_their_types()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await Enable(account, true, Types);
        await account.Call("CreateThingType", new { thingTypeName = "pumps", thingTypeProperties = new { thingTypeDescription = "text", searchableAttributes = new[] { "a" } } });
        await account.Call("CreateThing", new { thingName = "t", thingTypeName = "pumps" });
        await account.Call("UpdateThing", new { thingName = "t", removeThingType = true, attributePayload = new { attributes = new { a = "1" } } });
        await account.Call("DeleteThing", new { thingName = "t" });
        await account.Call("DeprecateThingType", new { thingTypeName = "pumps" });
        var told = await Told(house, account);
        Assert.Equal(
            ["thingType/pumps/created", "thing/t/created", "thingTypeAssociation/thing/t/thingType/pumps/added", "thing/t/updated",
                "thingTypeAssociation/thing/t/thingType/pumps/removed", "thing/t/deleted", "thingType/pumps/updated"],
            told.Select(t => t.Topic));
        var (type, created, added, updated, deprecated) = (told[0].Payload, told[1].Payload, told[2].Payload, told[3].Payload, told[6].Payload);
        Assert.Equal("THING_TYPE_EVENT", (string?)type["eventType"]);
        Assert.Equal("a", (string?)type["searchableAttributes"]![0]);
        Assert.False((bool?)type["isDeprecated"]);
        Assert.True(type.AsObject().ContainsKey("deprecationDate"));
        Assert.True((bool?)deprecated["isDeprecated"]);
        Assert.Equal(house.Time.GetUtcNow().ToUnixTimeMilliseconds(), (long?)deprecated["deprecationDate"]);
        Assert.Equal("THING_EVENT", (string?)created["eventType"]);
        Assert.Equal("CREATED", (string?)created["operation"]);
        Assert.Equal(account.Id.Value, (string?)created["accountId"]);
        Assert.Equal("pumps", (string?)created["thingTypeName"]);
        Assert.Equal(1, (long?)created["versionNumber"]);
        Assert.Equal(2, (long?)updated["versionNumber"]);
        Assert.Equal("1", (string?)updated["attributes"]!["a"]);
        Assert.True(updated.AsObject().ContainsKey("thingTypeName"));
        Assert.Null(updated["thingTypeName"]);
        Assert.Equal("ADDED", (string?)added["operation"]);
        Assert.Equal((string?)created["thingId"], (string?)added["thingId"]);
        Assert.Equal(told.Count, told.Select(t => (string?)t.Payload["eventId"]).Distinct().Count());
    }

    [Fact]
    public async Task Groups_tell_of_themselves_their_places_and_their_things()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await Enable(account, true, Types);
        await account.Call("CreateThing", new { thingName = "t" });
        await account.Call("CreateThingGroup", new { thingGroupName = "top" });
        await account.Call("CreateThingGroup", new { thingGroupName = "low", parentGroupName = "top" });
        await account.Call("AddThingToThingGroup", new { thingName = "t", thingGroupName = "low" });
        await account.Call("UpdateThingGroup", new { thingGroupName = "low", thingGroupProperties = new { thingGroupDescription = "text" } });
        await account.Call("DeleteThingGroup", new { thingGroupName = "low" });
        var told = await Told(house, account);
        Assert.Equal(
            ["thing/t/created", "thingGroup/top/created", "thingGroup/low/created", "thingGroupHierarchy/thingGroup/top/childThingGroup/low/added",
                "thingGroupMembership/thingGroup/low/thing/t/added", "thingGroup/low/updated", "thingGroupMembership/thingGroup/low/thing/t/removed",
                "thingGroupHierarchy/thingGroup/top/childThingGroup/low/removed", "thingGroup/low/deleted"],
            told.Select(t => t.Topic));
        var (top, hierarchy, joined, updated, left) = (told[1].Payload, told[3].Payload, told[4].Payload, told[5].Payload, told[6].Payload);
        Assert.Equal("THING_GROUP_EVENT", (string?)updated["eventType"]);
        Assert.Equal("text", (string?)updated["description"]);
        Assert.Equal(2, (long?)updated["versionNumber"]);
        Assert.Equal("top", (string?)updated["parentGroupName"]);
        Assert.Equal((string?)top["thingGroupId"], (string?)updated["parentGroupId"]);
        Assert.Equal(account.Arn("thinggroup/top"), (string?)Assert.Single(updated["rootToParentThingGroups"]!.AsArray())!["groupArn"]);
        Assert.True(top.AsObject().ContainsKey("parentGroupName"));
        Assert.Null(top["parentGroupName"]);
        Assert.Equal((string?)updated["thingGroupId"], (string?)hierarchy["childGroupId"]);
        Assert.Equal("low", (string?)hierarchy["childGroupName"]);
        Assert.Equal((string?)top["thingGroupId"], (string?)hierarchy["thingGroupId"]);
        Assert.Equal(account.Arn("thing/t"), (string?)joined["thingArn"]);
        Assert.Equal(account.Arn("thinggroup/low"), (string?)joined["groupArn"]);
        Assert.NotNull(joined["membershipId"]);
        Assert.Equal((string?)joined["membershipId"], (string?)left["membershipId"]);
        Assert.Equal("REMOVED", (string?)left["operation"]);
    }
}
