using static Althing.Tests.Core.SecurityAccount;

namespace Althing.Tests.Core;

public sealed class ThingTypeTests
{
    static readonly object Properties = new
    {
        thingTypeDescription = "pumps of all kinds",
        searchableAttributes = new[] { "model", "site" },
        mqtt5Configuration = new { propagatingAttributes = new object[] { new { userPropertyKey = "m", thingAttribute = "model" }, new { userPropertyKey = "c", connectionAttribute = "iot:ClientId" } } },
    };

    [Fact]
    public async Task A_type_is_described_and_listed_as_it_was_made()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var made = await account.Call("CreateThingType", new { thingTypeName = "pumps", thingTypeProperties = Properties });
        await account.Call("CreateThingType", new { thingTypeName = "doors" });
        Assert.Equal(account.Arn("thingtype/pumps"), (string?)made["thingTypeArn"]);
        var type = await account.Call("DescribeThingType", new { thingTypeName = "pumps" });
        Assert.Equal((string?)made["thingTypeId"], (string?)type["thingTypeId"]);
        Assert.Equal("pumps of all kinds", (string?)type["thingTypeProperties"]!["thingTypeDescription"]);
        Assert.Equal("site", (string?)type["thingTypeProperties"]!["searchableAttributes"]![1]);
        Assert.Equal("iot:ClientId", (string?)type["thingTypeProperties"]!["mqtt5Configuration"]!["propagatingAttributes"]![1]!["connectionAttribute"]);
        Assert.False((bool?)type["thingTypeMetadata"]!["deprecated"]);
        var all = (await account.Call("ListThingTypes", new { }))["thingTypes"]!.AsArray();
        Assert.Equal(["doors", "pumps"], all.Select(t => (string)t!["thingTypeName"]!));
        Assert.Equal("pumps", (string?)Assert.Single((await account.Call("ListThingTypes", new { thingTypeName = "pumps" }))["thingTypes"]!.AsArray())!["thingTypeName"]);
        Assert.Empty((await account.Call("ListThingTypes", new { thingTypeName = "pum" }))["thingTypes"]!.AsArray());
        Assert.Empty((await house.NewAccount().Call("ListThingTypes", new { }))["thingTypes"]!.AsArray());
    }

    [Fact]
    public async Task The_same_type_again_is_the_same_and_another_is_refused()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        object[] tags = [Tag("k", "v")];
        var made = await account.Call("CreateThingType", new { thingTypeName = "pumps", thingTypeProperties = Properties, tags });
        var again = await account.Call("CreateThingType", new { thingTypeName = "pumps", thingTypeProperties = Properties, tags });
        Assert.Equal((string?)made["thingTypeId"], (string?)again["thingTypeId"]);
        Assert.Equal("ResourceAlreadyExistsException", (await account.Refused("CreateThingType", new { thingTypeName = "pumps", thingTypeProperties = Properties })).Code);
        Assert.Equal("ResourceAlreadyExistsException", (await account.Refused("CreateThingType", new { thingTypeName = "pumps", tags })).Code);
    }

    [Fact]
    public async Task Senseless_properties_are_refused()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        object Propagating(object attribute) => new { mqtt5Configuration = new { propagatingAttributes = new[] { attribute } } };
        foreach (var properties in new[]
        {
            new { searchableAttributes = new[] { "a", "b", "c", "d" } },
            new { searchableAttributes = new[] { "a", "a" } },
            Propagating(new { thingAttribute = "a" }),
            Propagating(new { userPropertyKey = "k" }),
            Propagating(new { userPropertyKey = "k", thingAttribute = "a", connectionAttribute = "iot:ClientId" }),
            Propagating(new { userPropertyKey = "k", connectionAttribute = "iot:Nothing" }),
        })
        {
            Assert.Equal("InvalidRequestException", (await account.Refused("CreateThingType", new { thingTypeName = "t", thingTypeProperties = properties })).Code);
            Assert.Equal("InvalidRequestException", (await account.Refused("UpdateThingType", new { thingTypeName = "t", thingTypeProperties = properties })).Code);
        }
    }

    [Fact]
    public async Task An_update_changes_what_it_names()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        Assert.Equal("ResourceNotFoundException", (await account.Refused("UpdateThingType", new { thingTypeName = "pumps" })).Code);
        await account.Call("CreateThingType", new { thingTypeName = "pumps", thingTypeProperties = Properties });
        await account.Call("UpdateThingType", new { thingTypeName = "pumps", thingTypeProperties = new { searchableAttributes = new[] { "serial" } } });
        var properties = (await account.Call("DescribeThingType", new { thingTypeName = "pumps" }))["thingTypeProperties"]!;
        Assert.Equal("serial", (string?)Assert.Single(properties["searchableAttributes"]!.AsArray()));
        Assert.Equal("pumps of all kinds", (string?)properties["thingTypeDescription"]);
        Assert.Equal(2, properties["mqtt5Configuration"]!["propagatingAttributes"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_deprecated_type_takes_no_new_things_until_that_is_undone()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateThingType", new { thingTypeName = "pumps" });
        await account.Call("CreateThing", new { thingName = "old", thingTypeName = "pumps" });
        await account.Call("CreateThing", new { thingName = "plain" });
        await account.Call("DeprecateThingType", new { thingTypeName = "pumps" });
        Assert.True((bool?)(await account.Call("DescribeThingType", new { thingTypeName = "pumps" }))["thingTypeMetadata"]!["deprecated"]);
        Assert.Equal("InvalidRequestException", (await account.Refused("CreateThing", new { thingName = "new", thingTypeName = "pumps" })).Code);
        Assert.Equal("InvalidRequestException", (await account.Refused("UpdateThing", new { thingName = "plain", thingTypeName = "pumps" })).Code);
        await account.Call("UpdateThing", new { thingName = "old", thingTypeName = "pumps", attributePayload = new { attributes = new { a = "1" } } });
        await account.Call("DeprecateThingType", new { thingTypeName = "pumps", undoDeprecate = true });
        await account.Call("CreateThing", new { thingName = "new", thingTypeName = "pumps" });
        var metadata = (await account.Call("DescribeThingType", new { thingTypeName = "pumps" }))["thingTypeMetadata"]!;
        Assert.False((bool?)metadata["deprecated"]);
        Assert.Null(metadata["deprecationDate"]);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DeprecateThingType", new { thingTypeName = "none" })).Code);
    }

    [Fact]
    public async Task A_type_is_deleted_five_minutes_after_its_deprecation_when_it_has_no_things()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var type = new { thingTypeName = "pumps" };
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DeleteThingType", type)).Code);
        await account.Call("CreateThingType", type);
        await account.Call("CreateThing", new { thingName = "t", thingTypeName = "pumps" });
        Assert.Contains("deprecated", (await account.Refused("DeleteThingType", type)).Message, StringComparison.Ordinal);
        await account.Call("DeprecateThingType", type);
        house.Time.Advance(TimeSpan.FromMinutes(3));
        await account.Call("DeprecateThingType", type);
        house.Time.Advance(TimeSpan.FromMinutes(2) - TimeSpan.FromMilliseconds(1));
        var early = await account.Refused("DeleteThingType", type);
        Assert.Equal("InvalidRequestException", early.Code);
        Assert.Contains("five minutes", early.Message, StringComparison.Ordinal);
        house.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Contains("things", (await account.Refused("DeleteThingType", type)).Message, StringComparison.Ordinal);
        await account.Call("UpdateThing", new { thingName = "t", removeThingType = true });
        await account.Call("DeleteThingType", type);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DescribeThingType", type)).Code);
    }
}
