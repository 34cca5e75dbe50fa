using System.Text.Json.Nodes;
using static Althing.Tests.Core.SecurityAccount;

namespace Althing.Tests.Core;

public sealed class TestAuthorizationTests
{
    [Theory]
    [InlineData("PUBLISH", "topic/foo/bar", "ALLOWED")]
    [InlineData("PUBLISH", "topic/bar", "IMPLICIT_DENY")]
    [InlineData("PUBLISH", "topic/foo/secret", "EXPLICIT_DENY")]
    [InlineData("SUBSCRIBE", "topicfilter/foo/#", "ALLOWED")]
    [InlineData("SUBSCRIBE", "topic/foo/bar", "IMPLICIT_DENY")]
    [InlineData("CONNECT", "client/pump", "ALLOWED")]
    [InlineData("CONNECT", "client/crane", "IMPLICIT_DENY")]
    [InlineData("RECEIVE", "topic/foo/bar", "IMPLICIT_DENY")]
    public async Task An_action_is_judged_as_the_gateway_would(string action, string resource, string decision)
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await Prepare(account);
        Assert.Equal(decision, (string?)(await Judge(account, device, action, "pump", [resource]))["authDecision"]);
    }

    [Fact]
    public async Task The_answer_names_the_policies_that_decide()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await Prepare(account);
        var result = await Judge(account, device, "PUBLISH", "pump", ["topic/foo/secret"]);
        Assert.Equal("allow", (string?)Assert.Single(result["allowed"]!["policies"]!.AsArray())!["policyName"]);
        Assert.Equal("deny", (string?)Assert.Single(result["denied"]!["explicitDeny"]!["policies"]!.AsArray())!["policyName"]);
        Assert.Equal(["topic/foo/secret"], result["authInfo"]!["resources"]!.AsArray().Select(r => ((string)r!)[^16..]));
    }

    [Fact]
    public async Task Without_a_client_id_its_value_is_missing()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await Prepare(account);
        var result = await Judge(account, device, "CONNECT", null, ["client/pump"]);
        Assert.Equal("IMPLICIT_DENY", (string?)result["authDecision"]);
        Assert.Equal(["iot:ClientId"], result["missingContextValues"]!.AsArray().Select(v => (string)v!));
        Assert.Empty((await Judge(account, device, "CONNECT", "pump", ["client/pump"]))["missingContextValues"]!.AsArray());
    }

    [Fact]
    public async Task Policies_can_be_tried_on_and_taken_off()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await Prepare(account);
        await account.Policy("extra", Document("iot:Receive", "*"));
        var authInfos = new[] { new { actionType = "RECEIVE", resources = new[] { account.Arn("topic/x") } } };
        var added = await account.Call("TestAuthorization", new { principal = device.Arn, authInfos, policyNamesToAdd = new[] { "extra" } });
        Assert.Equal("ALLOWED", (string?)added["authResults"]![0]!["authDecision"]);
        var secret = new[] { new { actionType = "PUBLISH", resources = new[] { account.Arn("topic/foo/secret") } } };
        var skipped = await account.Call("TestAuthorization", new { principal = device.Arn, authInfos = secret, policyNamesToSkip = new[] { "deny" } });
        Assert.Equal("ALLOWED", (string?)skipped["authResults"]![0]!["authDecision"]);
        var refusal = await account.Refused("TestAuthorization", new { principal = device.Arn, authInfos, policyNamesToAdd = new[] { "nothing" } });
        Assert.Equal("ResourceNotFoundException", refusal.Code);
    }

    static async Task<TestDevice> Prepare(SecurityAccount account)
    {
        var device = await account.Device();
        await account.Policy("allow", $$"""
            {"Version":"2012-10-17","Statement":[
              {"Effect":"Allow","Action":"iot:Publish","Resource":"{{account.Arn("topic/foo/*")}}"},
              {"Effect":"Allow","Action":"iot:Subscribe","Resource":"{{account.Arn("topicfilter/foo/*")}}"},
              {"Effect":"Allow","Action":"iot:Connect","Resource":"{{account.Arn("client/${iot:ClientId}")}}"}]}
            """);
        await account.Policy("deny", Document("iot:Publish", account.Arn("topic/foo/secret"), "Deny"));
        await account.Attach("allow", device.Arn);
        await account.Attach("deny", device.Arn);
        return device;
    }

    static async Task<JsonNode> Judge(SecurityAccount account, TestDevice device, string action, string? clientId, string[] resources)
    {
        var authInfos = new[] { new { actionType = action, resources = resources.Select(account.Arn) } };
        return (await account.Call("TestAuthorization", new { principal = device.Arn, clientId, authInfos }))["authResults"]![0]!;
    }
}
