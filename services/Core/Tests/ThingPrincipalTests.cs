using System.Text.Json.Nodes;
using static Althing.Tests.Core.SecurityAccount;

namespace Althing.Tests.Core;

public sealed class ThingPrincipalTests
{
    const string Identity = "eu-west-1:11111111-2222-3333-4444-555555555555";

    static string[] Texts(JsonObject answer, string member) => [.. answer[member]!.AsArray().Select(t => (string)t!)];

    static string[] Pairs(JsonObject answer, string member, string name) =>
        [.. answer[member]!.AsArray().Select(t => $"{(string)t![name]!} {(string)t["thingPrincipalType"]!}")];

    [Fact]
    public async Task Attachments_are_listed_from_both_ends()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var (shared, own) = (await account.Device("CN=shared"), await account.Device("CN=own"));
        foreach (var name in new[] { "a", "b" })
            await account.Call("CreateThing", new { thingName = name });
        await account.Call("AttachThingPrincipal", new { thingName = "a", principal = shared.Arn });
        await account.Call("AttachThingPrincipal", new { thingName = "b", principal = shared.Arn, thingPrincipalType = "NON_EXCLUSIVE_THING" });
        await account.Call("AttachThingPrincipal", new { thingName = "a", principal = own.Arn, thingPrincipalType = "EXCLUSIVE_THING" });
        await account.Call("AttachThingPrincipal", new { thingName = "a", principal = Identity });
        Assert.Equal([.. new[] { shared.Arn, own.Arn, Identity }.Order(StringComparer.Ordinal)],
            Texts(await account.Call("ListThingPrincipals", new { thingName = "a" }), "principals").Order(StringComparer.Ordinal));
        Assert.Equal(["a", "b"], Texts(await account.Call("ListPrincipalThings", new { principal = shared.Arn }), "things"));
        Assert.Equal(["a"], Texts(await account.Call("ListPrincipalThings", new { principal = Identity }), "things"));
        Assert.Equal([$"{own.Arn} EXCLUSIVE_THING"],
            Pairs(await account.Call("ListThingPrincipalsV2", new { thingName = "a", thingPrincipalType = "EXCLUSIVE_THING" }), "thingPrincipalObjects", "principal"));
        Assert.Equal(3, (await account.Call("ListThingPrincipalsV2", new { thingName = "a" }))["thingPrincipalObjects"]!.AsArray().Count);
        Assert.Equal(["a NON_EXCLUSIVE_THING", "b NON_EXCLUSIVE_THING"],
            Pairs(await account.Call("ListPrincipalThingsV2", new { principal = shared.Arn }), "principalThingObjects", "thingName"));
        Assert.Empty(Pairs(await account.Call("ListPrincipalThingsV2", new { principal = shared.Arn, thingPrincipalType = "EXCLUSIVE_THING" }), "principalThingObjects", "thingName"));
        await account.Call("DetachThingPrincipal", new { thingName = "a", principal = shared.Arn });
        Assert.Equal(["b"], Texts(await account.Call("ListPrincipalThings", new { principal = shared.Arn }), "things"));
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DetachThingPrincipal", new { thingName = "a", principal = shared.Arn })).Code);
    }

    [Fact]
    public async Task An_exclusive_attachment_is_the_only_one()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await account.Device();
        foreach (var name in new[] { "a", "b" })
            await account.Call("CreateThing", new { thingName = name });
        object To(string thing, string? type) => new { thingName = thing, principal = device.Arn, thingPrincipalType = type };
        await account.Call("AttachThingPrincipal", To("a", "EXCLUSIVE_THING"));
        await account.Call("AttachThingPrincipal", To("a", null));
        Assert.Equal("InvalidRequestException", (await account.Refused("AttachThingPrincipal", To("b", null))).Code);
        Assert.Equal("InvalidRequestException", (await account.Refused("AttachThingPrincipal", To("b", "EXCLUSIVE_THING"))).Code);
        Assert.Equal([$"{device.Arn} EXCLUSIVE_THING"], Pairs(await account.Call("ListThingPrincipalsV2", new { thingName = "a" }), "thingPrincipalObjects", "principal"));
        await account.Call("AttachThingPrincipal", To("a", "NON_EXCLUSIVE_THING"));
        await account.Call("AttachThingPrincipal", To("b", null));
        Assert.Equal("InvalidRequestException", (await account.Refused("AttachThingPrincipal", To("a", "EXCLUSIVE_THING"))).Code);
        Assert.Equal("InvalidRequestException", (await account.Refused("AttachThingPrincipal", new { thingName = "a", principal = Identity, thingPrincipalType = "EXCLUSIVE_THING" })).Code);
    }

    [Fact]
    public async Task Both_ends_must_be_there_and_of_the_account()
    {
        await using var house = new SecurityHouse();
        var (account, other) = (house.NewAccount(), house.NewAccount());
        var device = await account.Device();
        await account.Call("CreateThing", new { thingName = "a" });
        await other.Call("CreateThing", new { thingName = "a" });
        var nothing = account.Arn("cert/" + new string('0', 64));
        foreach (var operation in new[] { "AttachThingPrincipal", "DetachThingPrincipal" })
        {
            Assert.Equal("ResourceNotFoundException", (await account.Refused(operation, new { thingName = "none", principal = device.Arn })).Code);
            Assert.Equal("ResourceNotFoundException", (await account.Refused(operation, new { thingName = "a", principal = nothing })).Code);
            Assert.Equal("InvalidRequestException", (await account.Refused(operation, new { thingName = "a", principal = account.Arn("thinggroup/g") })).Code);
            Assert.Equal("InvalidRequestException", (await account.Refused(operation, new { thingName = "a", principal = "nonsense" })).Code);
            Assert.Equal("InvalidRequestException", (await other.Refused(operation, new { thingName = "a", principal = device.Arn })).Code);
        }
        Assert.Equal("ResourceNotFoundException", (await account.Refused("ListThingPrincipals", new { thingName = "none" })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("ListThingPrincipalsV2", new { thingName = "none" })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("ListPrincipalThings", new { principal = nothing })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("ListPrincipalThingsV2", new { principal = nothing })).Code);
    }

    [Fact]
    public async Task A_certificate_on_its_way_to_another_account_is_attached_to_nothing()
    {
        await using var house = new SecurityHouse();
        var (from, to) = (house.NewAccount(), house.NewAccount());
        var device = await from.Device(status: "INACTIVE");
        await from.Call("CreateThing", new { thingName = "a" });
        await from.Call("TransferCertificate", new { certificateId = device.Id, targetAwsAccount = to.Id.Value });
        Assert.Equal("InvalidRequestException", (await from.Refused("AttachThingPrincipal", new { thingName = "a", principal = device.Arn })).Code);
        await from.Call("CancelCertificateTransfer", new { certificateId = device.Id });
        await from.Call("AttachThingPrincipal", new { thingName = "a", principal = device.Arn });
        Assert.Equal("TransferConflictException", (await from.Refused("TransferCertificate", new { certificateId = device.Id, targetAwsAccount = to.Id.Value })).Code);
    }

    [Theory]
    [InlineData("DeleteThing")]
    [InlineData("DeleteCertificate")]
    public async Task An_attachment_never_outlives_either_end(string deletion)
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        foreach (var round in Enumerable.Range(0, 10))
        {
            var device = await account.Device($"CN={round}", "INACTIVE");
            var thing = $"t{round}";
            await account.Call("CreateThing", new { thingName = thing });
            object target = deletion == "DeleteThing" ? new { thingName = thing } : new { certificateId = device.Id };
            var deleting = account.Tries(deletion, target);
            var attaching = account.Tries("AttachThingPrincipal", new { thingName = thing, principal = device.Arn });
            Assert.NotEqual(await deleting, await attaching);
        }
    }

    [Fact]
    public async Task Of_exclusive_attachments_made_at_once_one_wins()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await account.Device();
        var things = Enumerable.Range(0, 4).Select(i => $"t{i}").ToList();
        foreach (var thing in things)
            await account.Call("CreateThing", new { thingName = thing });
        var outcomes = await Task.WhenAll(things.Select(t =>
            account.Tries("AttachThingPrincipal", new { thingName = t, principal = device.Arn, thingPrincipalType = "EXCLUSIVE_THING" })));
        Assert.Single(outcomes, true);
        Assert.Single((await account.Call("ListPrincipalThings", new { principal = device.Arn }))["things"]!.AsArray());
    }

    [Fact]
    public async Task A_connected_device_gains_and_loses_the_rights_of_its_thing_and_groups()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await account.Device();
        await account.Policy("connect", Document("iot:Connect", "*"));
        await account.Policy("group", Document("iot:Publish", "*"));
        await account.Attach("connect", device.Arn);
        await account.Call("CreateThing", new { thingName = "pump" });
        await account.Call("CreateThingGroup", new { thingGroupName = "top" });
        await account.Call("CreateThingGroup", new { thingGroupName = "low", parentGroupName = "top" });
        await account.Attach("group", account.Arn("thinggroup/top"));
        var session = (await account.Connect(device, "pump"))!;
        async Task<bool> MayPublish()
        {
            await house.Settled;
            return session.Allows(Althing.Broker.DeviceAction.Publish, "a");
        }
        Assert.False(await MayPublish());
        await account.Call("AddThingToThingGroup", new { thingName = "pump", thingGroupName = "low" });
        Assert.False(await MayPublish());
        await account.Call("AttachThingPrincipal", new { thingName = "pump", principal = device.Arn });
        Assert.True(await MayPublish());
        await account.Call("DeleteThingGroup", new { thingGroupName = "low" });
        Assert.False(await MayPublish());
        await account.Call("CreateThingGroup", new { thingGroupName = "low", parentGroupName = "top" });
        Assert.False(await MayPublish());
        await account.Call("UpdateThingGroupsForThing", new { thingName = "pump", thingGroupsToAdd = new[] { "low" } });
        Assert.True(await MayPublish());
        await account.Call("DetachThingPrincipal", new { thingName = "pump", principal = device.Arn });
        Assert.False(await MayPublish());
    }
}
