using System.Text.Json.Nodes;
using Althing.Storage;

namespace Althing.Tests.Core;

public sealed class BillingGroupTests
{
    static async Task<string[]> ThingsIn(SecurityAccount account, string group) =>
        [.. (await account.Call("ListThingsInBillingGroup", new { billingGroupName = group }))["things"]!.AsArray().Select(t => (string)t!)];

    static async Task<string?> GroupOf(SecurityAccount account, string thing) =>
        (string?)(await account.Call("DescribeThing", new { thingName = thing }))["billingGroupName"];

    [Fact]
    public async Task A_group_is_made_described_changed_and_deleted()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var wanted = new { billingGroupName = "cost", billingGroupProperties = new { billingGroupDescription = "one" } };
        var made = await account.Call("CreateBillingGroup", wanted);
        Assert.Equal((string?)made["billingGroupId"], (string?)(await account.Call("CreateBillingGroup", wanted))["billingGroupId"]);
        Assert.Equal("ResourceAlreadyExistsException", (await account.Refused("CreateBillingGroup", new { billingGroupName = "cost" })).Code);
        Assert.Equal(2, (long?)(await account.Call("UpdateBillingGroup", new { billingGroupName = "cost", expectedVersion = 1, billingGroupProperties = new { billingGroupDescription = "two" } }))["version"]);
        Assert.Equal("VersionConflictException", (await account.Refused("UpdateBillingGroup", new { billingGroupName = "cost", expectedVersion = 1, billingGroupProperties = new { } })).Code);
        var group = await account.Call("DescribeBillingGroup", new { billingGroupName = "cost" });
        Assert.Equal("two", (string?)group["billingGroupProperties"]!["billingGroupDescription"]);
        Assert.Equal(account.Arn("billinggroup/cost"), (string?)group["billingGroupArn"]);
        Assert.NotNull(group["billingGroupMetadata"]!["creationDate"]);
        Assert.Equal("VersionConflictException", (await account.Refused("DeleteBillingGroup", new { billingGroupName = "cost", expectedVersion = 1 })).Code);
        await account.Call("DeleteBillingGroup", new { billingGroupName = "cost", expectedVersion = 2 });
        await account.Call("DeleteBillingGroup", new { billingGroupName = "cost" });
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DescribeBillingGroup", new { billingGroupName = "cost" })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("UpdateBillingGroup", new { billingGroupName = "cost", billingGroupProperties = new { } })).Code);
    }

    [Fact]
    public async Task Groups_are_listed_by_prefix()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        foreach (var name in new[] { "north-1", "north-2", "south" })
            await account.Call("CreateBillingGroup", new { billingGroupName = name });
        string[] Names(JsonObject answer) => [.. answer["billingGroups"]!.AsArray().Select(g => (string)g!["groupName"]!)];
        Assert.Equal(["north-1", "north-2", "south"], Names(await account.Call("ListBillingGroups", new { })));
        Assert.Equal(["north-1", "north-2"], Names(await account.Call("ListBillingGroups", new { namePrefixFilter = "north" })));
        Assert.Empty(Names(await house.NewAccount().Call("ListBillingGroups", new { })));
    }

    [Fact]
    public async Task A_thing_is_in_one_group_at_most()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        foreach (var name in new[] { "one", "two" })
            await account.Call("CreateBillingGroup", new { billingGroupName = name });
        await account.Call("CreateThing", new { thingName = "t" });
        await account.Call("AddThingToBillingGroup", new { thingName = "t", billingGroupName = "one" });
        Assert.Equal(["t"], await ThingsIn(account, "one"));
        await account.Call("AddThingToBillingGroup", new { thingArn = account.Arn("thing/t"), billingGroupArn = account.Arn("billinggroup/two") });
        Assert.Empty(await ThingsIn(account, "one"));
        Assert.Equal("two", await GroupOf(account, "t"));
        await account.Call("RemoveThingFromBillingGroup", new { thingName = "t", billingGroupName = "one" });
        Assert.Equal("two", await GroupOf(account, "t"));
        Assert.Equal("InvalidRequestException", (await account.Refused("DeleteBillingGroup", new { billingGroupName = "two" })).Code);
        await account.Call("RemoveThingFromBillingGroup", new { thingName = "t", billingGroupName = "two" });
        Assert.Null(await GroupOf(account, "t"));
        await account.Call("DeleteBillingGroup", new { billingGroupName = "two" });
        Assert.Equal(1, (long?)(await account.Call("DescribeThing", new { thingName = "t" }))["version"]);
    }

    [Fact]
    public async Task Both_ends_must_be_named_and_there()
    {
        await using var house = new SecurityHouse();
        var (account, other) = (house.NewAccount(), house.NewAccount());
        await account.Call("CreateBillingGroup", new { billingGroupName = "one" });
        await account.Call("CreateThing", new { thingName = "t" });
        foreach (var operation in new[] { "AddThingToBillingGroup", "RemoveThingFromBillingGroup" })
        {
            Assert.Equal("InvalidRequestException", (await account.Refused(operation, new { thingName = "t" })).Code);
            Assert.Equal("InvalidRequestException", (await account.Refused(operation, new { billingGroupName = "one" })).Code);
            Assert.Equal("InvalidRequestException", (await account.Refused(operation, new { thingName = "t", thingArn = account.Arn("thing/u"), billingGroupName = "one" })).Code);
            Assert.Equal("InvalidRequestException", (await account.Refused(operation, new { thingArn = other.Arn("thing/t"), billingGroupName = "one" })).Code);
            Assert.Equal("InvalidRequestException", (await account.Refused(operation, new { thingArn = account.Arn("thinggroup/t"), billingGroupName = "one" })).Code);
            Assert.Equal("ResourceNotFoundException", (await account.Refused(operation, new { thingName = "none", billingGroupName = "one" })).Code);
            Assert.Equal("ResourceNotFoundException", (await account.Refused(operation, new { thingName = "t", billingGroupName = "none" })).Code);
            Assert.Equal("ResourceNotFoundException", (await other.Refused(operation, new { thingName = "t", billingGroupName = "one" })).Code);
        }
        Assert.Equal("ResourceNotFoundException", (await account.Refused("ListThingsInBillingGroup", new { billingGroupName = "none" })).Code);
    }

    [Fact]
    public async Task A_group_that_gains_a_thing_while_it_is_deleted_stays()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateBillingGroup", new { billingGroupName = "g" });
        await account.Call("CreateThing", new { thingName = "t" });
        house.Store.Between(
            batch => batch.Steps.Any(s => s is { Verb: BatchVerb.Delete, Table.Name: "billing-groups" }),
            () => account.Call("AddThingToBillingGroup", new { thingName = "t", billingGroupName = "g" }));
        Assert.Equal("InvalidRequestException", (await account.Refused("DeleteBillingGroup", new { billingGroupName = "g" })).Code);
        Assert.Equal(["t"], await ThingsIn(account, "g"));
    }

    [Fact]
    public async Task A_group_that_is_deleted_while_a_thing_joins_is_not_joined()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateBillingGroup", new { billingGroupName = "g" });
        await account.Call("CreateThing", new { thingName = "t" });
        house.Store.Between(
            batch => batch.Steps.Any(s => s is { Verb: BatchVerb.Put, Table.Name: "things" }),
            () => account.Call("DeleteBillingGroup", new { billingGroupName = "g" }));
        Assert.Equal("ResourceNotFoundException", (await account.Refused("AddThingToBillingGroup", new { thingName = "t", billingGroupName = "g" })).Code);
        Assert.Null(await GroupOf(account, "t"));
    }
}
