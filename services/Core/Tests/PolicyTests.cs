using System.Text.Json.Nodes;
using Althing.Api;
using static Althing.Tests.Core.SecurityAccount;

namespace Althing.Tests.Core;

public sealed class PolicyTests
{
    static readonly string Any = Document("iot:*", "*");

    [Fact]
    public async Task A_policy_lives_from_creation_to_deletion()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var made = await account.Policy("p", Any);
        Assert.Equal(account.Arn("policy/p"), (string?)made["policyArn"]);
        Assert.Equal("1", (string?)made["policyVersionId"]);
        Assert.Equal("ResourceAlreadyExistsException", (await account.Refused("CreatePolicy", new { policyName = "p", policyDocument = Any })).Code);
        Assert.Equal(Any, (string?)(await account.Call("GetPolicy", new { policyName = "p" }))["policyDocument"]);
        await account.Call("DeletePolicy", new { policyName = "p" });
        Assert.Equal("ResourceNotFoundException", (await account.Refused("GetPolicy", new { policyName = "p" })).Code);
    }

    [Fact]
    public async Task A_policy_has_five_versions_at_most_and_keeps_its_default()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Policy("p", Any);
        for (var i = 2; i <= 5; i++)
            await account.Call("CreatePolicyVersion", new { policyName = "p", policyDocument = Any, setAsDefault = i == 3 });
        Assert.Equal("VersionsLimitExceededException", (await account.Refused("CreatePolicyVersion", new { policyName = "p", policyDocument = Any })).Code);
        Assert.Equal("3", (string?)(await account.Call("GetPolicy", new { policyName = "p" }))["defaultVersionId"]);
        Assert.Equal("DeleteConflictException", (await account.Refused("DeletePolicyVersion", new { policyName = "p", policyVersionId = "3" })).Code);
        await account.Call("DeletePolicyVersion", new { policyName = "p", policyVersionId = "5" });
        // A number is never used again.
        Assert.Equal("6", (string?)(await account.Call("CreatePolicyVersion", new { policyName = "p", policyDocument = Any }))["policyVersionId"]);
        await account.Call("SetDefaultPolicyVersion", new { policyName = "p", policyVersionId = "6" });
        var versions = (await account.Call("ListPolicyVersions", new { policyName = "p" }))["policyVersions"]!.AsArray();
        Assert.Equal("6", (string?)versions.Single(v => (bool)v!["isDefaultVersion"]!)!["versionId"]);
        Assert.Equal("DeleteConflictException", (await account.Refused("DeletePolicy", new { policyName = "p" })).Code);
        Assert.Equal("ResourceNotFoundException", (await account.Refused("GetPolicyVersion", new { policyName = "p", policyVersionId = "99" })).Code);
    }

    [Theory]
    [InlineData("not json", "JSON")]
    [InlineData("""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"*"},{"Effect":"Perhaps","Action":"iot:Connect","Resource":"*"}]}""", "Statement 2")]
    [InlineData("""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}""", "Statement 1")]
    public async Task A_senseless_document_is_refused_and_the_statement_is_named(string document, string said)
    {
        await using var house = new SecurityHouse();
        var refusal = await house.NewAccount().Refused("CreatePolicy", new { policyName = "p", policyDocument = document });
        Assert.Equal("MalformedPolicyException", refusal.Code);
        Assert.Contains(said, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_document_may_have_2048_characters_besides_white_space()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var filler = 2048 - Document("iot:Connect", "arn:aws:iot:*:*:client/").Length;
        var longest = Document("iot:Connect", "arn:aws:iot:*:*:client/" + new string('a', filler));
        await account.Policy("fits", new string(' ', 500) + longest);
        Assert.Equal("MalformedPolicyException", (await account.Refused("CreatePolicy", new { policyName = "p", policyDocument = longest.Replace("/aa", "/aaa") })).Code);
    }

    [Fact]
    public async Task Ten_policies_fit_on_a_certificate_and_two_on_a_group()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await account.Device();
        await account.Group("g");
        for (var i = 0; i <= 10; i++)
            await account.Policy("p" + i, Any);
        for (var i = 0; i < 10; i++)
            await account.Attach("p" + i, device.Arn);
        await account.Attach("p0", device.Arn);
        Assert.Equal("LimitExceededException", (await account.Refused("AttachPolicy", new { policyName = "p10", target = device.Arn })).Code);
        await account.Attach("p0", account.Arn("thinggroup/g"));
        await account.Attach("p1", account.Arn("thinggroup/g"));
        Assert.Equal("LimitExceededException", (await account.Refused("AttachPolicy", new { policyName = "p2", target = account.Arn("thinggroup/g") })).Code);
        Assert.Equal("DeleteConflictException", (await account.Refused("DeletePolicy", new { policyName = "p0" })).Code);
    }

    [Fact]
    public async Task Two_attachments_at_once_cannot_both_take_the_last_place()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        for (var i = 0; i < 14; i++)
            await account.Policy("p" + i, Any);
        foreach (var target in new[] { (await account.Device()).Arn, "eu-west-1:0000-1111" })
        {
            var outcomes = await Task.WhenAll(Enumerable.Range(0, 14).Select(i => Task.Run(async () =>
            {
                try
                {
                    await account.Attach("p" + i, target);
                    return true;
                }
                catch (ServiceException refusal) when (refusal.Code == "LimitExceededException")
                {
                    return false;
                }
            })));
            Assert.Equal(10, outcomes.Count(attached => attached));
        }
    }

    [Fact]
    public async Task A_deleted_policy_is_never_left_attached()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await account.Device();
        for (var round = 0; round < 10; round++)
        {
            await account.Policy("p", Any);
            var attach = Task.Run(() => Try(() => account.Attach("p", device.Arn)));
            var delete = Task.Run(() => Try(() => account.Call("DeletePolicy", new { policyName = "p" })));
            await Task.WhenAll(attach, delete);
            var attached = (await account.Call("ListAttachedPolicies", new { target = device.Arn }))["policies"]!.AsArray().Count;
            Assert.Equal(await delete ? 0 : 1, attached);
            if (attached == 0)
                continue;
            await account.Call("DetachPolicy", new { policyName = "p", target = device.Arn });
            await account.Call("DeletePolicy", new { policyName = "p" });
        }
    }

    [Fact]
    public async Task Attachments_are_listed_from_both_sides_and_through_ancestors()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var device = await account.Device();
        await account.Thing("pump", device);
        await account.Group("site");
        await account.Group("hall", "site", "pump");
        foreach (var name in new[] { "own", "hall-policy", "site-policy" })
            await account.Policy(name, Any);
        await account.Attach("own", device.Arn);
        await account.Attach("hall-policy", account.Arn("thinggroup/hall"));
        await account.Attach("site-policy", account.Arn("thinggroup/site"));
        Assert.Equal(["hall-policy"], Names(await account.Call("ListAttachedPolicies", new { target = account.Arn("thinggroup/hall") })));
        Assert.Equal(["hall-policy", "site-policy"], Names(await account.Call("ListAttachedPolicies", new { target = account.Arn("thinggroup/hall"), recursive = true })));
        Assert.Equal([device.Arn], (await account.Call("ListTargetsForPolicy", new { policyName = "own" }))["targets"]!.AsArray().Select(t => (string)t!));
        Assert.Equal(["own"], Names(await account.Call("ListPrincipalPolicies", new { principal = device.Arn })));
        Assert.Equal([device.Arn], (await account.Call("ListPolicyPrincipals", new { policyName = "own" }))["principals"]!.AsArray().Select(t => (string)t!));
        var effective = (await account.Call("GetEffectivePolicies", new { principal = device.Arn, thingName = "pump" }))["effectivePolicies"]!.AsArray();
        Assert.Equal(["hall-policy", "own", "site-policy"], effective.Select(p => (string)p!["policyName"]!));
    }

    [Fact]
    public async Task Listings_go_page_by_page_and_tokens_are_of_one_account()
    {
        await using var house = new SecurityHouse();
        var (account, other) = (house.NewAccount(), house.NewAccount());
        for (var i = 0; i < 5; i++)
        {
            await account.Policy("p" + i, Any);
            house.Time.Advance(TimeSpan.FromSeconds(1));
        }
        var first = await account.Call("ListPolicies", new { pageSize = 3, ascendingOrder = true });
        Assert.Equal(["p0", "p1", "p2"], Names(first));
        var marker = (string)first["nextMarker"]!;
        var second = await account.Call("ListPolicies", new { pageSize = 3, ascendingOrder = true, marker });
        Assert.Equal(["p3", "p4"], Names(second));
        Assert.Null(second["nextMarker"]);
        Assert.Equal("InvalidRequestException", (await other.Refused("ListPolicies", new { marker, ascendingOrder = true })).Code);
        Assert.Empty(Names(await other.Call("ListPolicies", new { })));
        Assert.Equal("ResourceNotFoundException", (await other.Refused("GetPolicy", new { policyName = "p1" })).Code);
    }

    static IEnumerable<string> Names(JsonObject answer) => answer["policies"]!.AsArray().Select(p => (string)p!["policyName"]!);

    static async Task<bool> Try(Func<Task> act)
    {
        try
        {
            await act();
            return true;
        }
        catch (ServiceException)
        {
            return false;
        }
    }
}
