using System.Text.Json.Nodes;
using static Althing.Tests.Core.SecurityAccount;

namespace Althing.Tests.Core;

public sealed class TagTests
{
    static object[] Tags(int count, int from = 0) => [.. Enumerable.Range(from, count).Select(i => Tag($"k{i:D2}", $"v{i}"))];

    static async Task<string> Shown(SecurityAccount account, string arn) =>
        string.Join(',', (await account.Call("ListTagsForResource", new { resourceArn = arn }))["tags"]!.AsArray().Select(t => $"{t!["Key"]}={t["Value"]}"));

    static async Task<string> Make(SecurityAccount account, string kind, object[]? tags)
    {
        static string Arn(JsonObject answer, string member) => (string)answer[member]!;
        switch (kind)
        {
            case "thinggroup":
                return Arn(await account.Call("CreateThingGroup", new { thingGroupName = "g", tags }), "thingGroupArn");
            case "thingtype":
                return Arn(await account.Call("CreateThingType", new { thingTypeName = "t", tags }), "thingTypeArn");
            case "billinggroup":
                return Arn(await account.Call("CreateBillingGroup", new { billingGroupName = "b", tags }), "billingGroupArn");
            case "policy":
                return Arn(await account.Call("CreatePolicy", new { policyName = "p", policyDocument = Document("iot:*", "*"), tags }), "policyArn");
            case "rolealias":
                return Arn(await account.Call("CreateRoleAlias", new { roleAlias = "r", roleArn = $"arn:aws:iam::{account.Id}:role/x", tags }), "roleAliasArn");
            case "domainconfiguration":
                return Arn(await account.Call("CreateDomainConfiguration", new { domainConfigurationName = "d", tags }), "domainConfigurationArn");
            default:
                using (var ca = TestPki.Authority("CN=tags"))
                    return Arn(await account.Call("RegisterCACertificate", new { caCertificate = ca.ExportCertificatePem(), certificateMode = "SNI_ONLY", tags }), "certificateArn");
        }
    }

    [Theory]
    [InlineData("thinggroup")]
    [InlineData("thingtype")]
    [InlineData("billinggroup")]
    [InlineData("policy")]
    [InlineData("rolealias")]
    [InlineData("domainconfiguration")]
    [InlineData("cacert")]
    public async Task A_resource_is_tagged_when_made_and_later(string kind)
    {
        await using var house = new SecurityHouse();
        var (account, other) = (house.NewAccount(), house.NewAccount());
        var arn = await Make(account, kind, Tags(2));
        Assert.Equal("k00=v0,k01=v1", await Shown(account, arn));
        await account.Call("TagResource", new { resourceArn = arn, tags = new object[] { Tag("k01", "new"), Tag("a") } });
        Assert.Equal("a=,k00=v0,k01=new", await Shown(account, arn));
        await account.Call("UntagResource", new { resourceArn = arn, tagKeys = new[] { "k00", "none" } });
        Assert.Equal("a=,k01=new", await Shown(account, arn));
        foreach (var (operation, request) in new (string, object)[]
        {
            ("TagResource", new { resourceArn = arn, tags = Tags(1) }), ("UntagResource", new { resourceArn = arn, tagKeys = new[] { "a" } }), ("ListTagsForResource", new { resourceArn = arn }),
        })
            Assert.Equal("InvalidRequestException", (await other.Refused(operation, request)).Code);
    }

    [Theory]
    [InlineData("thinggroup/none", "ResourceNotFoundException")]
    [InlineData("thingtype/none", "ResourceNotFoundException")]
    [InlineData("policy/none", "ResourceNotFoundException")]
    [InlineData("billinggroup/none", "ResourceNotFoundException")]
    [InlineData("rolealias/none", "ResourceNotFoundException")]
    [InlineData("cacert/0000", "ResourceNotFoundException")]
    [InlineData("domainconfiguration/none/x", "ResourceNotFoundException")]
    [InlineData("thing/t", "InvalidRequestException")]
    [InlineData("cert/0000", "InvalidRequestException")]
    [InlineData("nonsense", "InvalidRequestException")]
    public async Task Only_what_is_there_and_can_have_tags_has_them(string resource, string code)
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateThing", new { thingName = "t" });
        var arn = account.Arn(resource);
        Assert.Equal(code, (await account.Refused("TagResource", new { resourceArn = arn, tags = Tags(1) })).Code);
        Assert.Equal(code, (await account.Refused("UntagResource", new { resourceArn = arn, tagKeys = new[] { "k" } })).Code);
        Assert.Equal(code, (await account.Refused("ListTagsForResource", new { resourceArn = arn })).Code);
        Assert.Equal("InvalidRequestException", (await account.Refused("ListTagsForResource", new { resourceArn = resource })).Code);
    }

    [Fact]
    public async Task A_resource_has_fifty_tags_at_most()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var arn = await Make(account, "thinggroup", Tags(49));
        await account.Call("TagResource", new { resourceArn = arn, tags = Tags(2, from: 48) });
        Assert.Equal("LimitExceededException", (await account.Refused("TagResource", new { resourceArn = arn, tags = Tags(1, from: 50) })).Code);
        await account.Call("TagResource", new { resourceArn = arn, tags = Tags(1) });
        Assert.Equal("InvalidRequestException", (await account.Refused("CreateThingType", new { thingTypeName = "t", tags = Tags(51) })).Code);
        var other = await Make(account, "billinggroup", null);
        Assert.Equal("InvalidRequestException", (await account.Refused("TagResource", new { resourceArn = other, tags = new[] { Tag("aws:x", "") } })).Code);
        Assert.Equal("InvalidRequestException", (await account.Refused("TagResource", new { resourceArn = other, tags = new[] { Tag("k00", "1"), Tag("k00", "2") } })).Code);
    }

    [Fact]
    public async Task Tags_go_with_their_resource()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        foreach (var (kind, operation, request) in new (string, string, object)[]
        {
            ("thinggroup", "DeleteThingGroup", new { thingGroupName = "g" }), ("billinggroup", "DeleteBillingGroup", new { billingGroupName = "b" }), ("policy", "DeletePolicy", new { policyName = "p" }),
        })
        {
            var arn = await Make(account, kind, Tags(1));
            await account.Call(operation, request);
            Assert.Equal(arn, await Make(account, kind, null));
            Assert.Equal("", await Shown(account, arn));
        }
    }
}
