using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using static Althing.Tests.Core.SecurityAccount;

namespace Althing.Tests.Core;

/// <summary>The operations on authorizers.</summary>
public sealed class AuthorizerTests
{
    const string Lambda = "arn:aws:lambda:eu-west-1:123456789012:function:judge";

    static string PublicKey(int bits = 2048)
    {
        using var key = RSA.Create(bits);
        return key.ExportSubjectPublicKeyInfoPem();
    }

    [Fact]
    public async Task An_authorizer_is_created_described_changed_and_deleted()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        var keys = new Dictionary<string, string> { ["first"] = PublicKey() };
        var made = await account.Call("CreateAuthorizer", new { authorizerName = "judge", authorizerFunctionArn = Lambda, tokenKeyName = "token", tokenSigningPublicKeys = keys, tags = new[] { Tag("a", "b") } });
        Assert.Equal(account.Arn("authorizer/judge"), (string)made["authorizerArn"]!);
        var described = (await account.Call("DescribeAuthorizer", new { authorizerName = "judge" }))["authorizerDescription"]!;
        Assert.Equal("ACTIVE", (string)described["status"]!);
        Assert.Equal("token", (string)described["tokenKeyName"]!);
        Assert.Equal(keys["first"], (string)described["tokenSigningPublicKeys"]!["first"]!);
        Assert.False((bool)described["signingDisabled"]!);
        await account.Call("UpdateAuthorizer", new { authorizerName = "judge", authorizerFunctionArn = "https://judge.example/ask", enableCachingForHttp = true });
        described = (await account.Call("DescribeAuthorizer", new { authorizerName = "judge" }))["authorizerDescription"]!;
        Assert.Equal("https://judge.example/ask", (string)described["authorizerFunctionArn"]!);
        Assert.True((bool)described["enableCachingForHttp"]!);
        Assert.Equal("b", (string)(await account.Call("ListTagsForResource", new { resourceArn = account.Arn("authorizer/judge") }))["tags"]![0]!["Value"]!);
        Assert.Equal("DeleteConflictException", (await account.Refused("DeleteAuthorizer", new { authorizerName = "judge" })).Code);
        await account.Call("UpdateAuthorizer", new { authorizerName = "judge", status = "INACTIVE" });
        await account.Call("DeleteAuthorizer", new { authorizerName = "judge" });
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DescribeAuthorizer", new { authorizerName = "judge" })).Code);
    }

    [Theory]
    [InlineData("ftp://judge.example", "neither")]
    [InlineData("http://judge.example/ask", "neither")]
    [InlineData("https://user:word@judge.example/ask", "neither")]
    [InlineData("judge", "neither")]
    public async Task A_function_must_be_an_ARN_or_a_safe_address(string function, string says)
    {
        await using var house = new SecurityHouse();
        var refusal = await house.NewAccount().Refused("CreateAuthorizer", new { authorizerName = "a", authorizerFunctionArn = function, signingDisabled = true });
        Assert.Equal("InvalidRequestException", refusal.Code);
        Assert.Contains(says, refusal.Message);
    }

    [Fact]
    public async Task Signing_needs_a_token_name_and_a_strong_public_key()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        async Task<string> Why(object more)
        {
            var request = System.Text.Json.JsonSerializer.SerializeToNode(more)!.AsObject();
            (request["authorizerName"], request["authorizerFunctionArn"]) = ("a", Lambda);
            return (await account.Refused("CreateAuthorizer", request)).Message;
        }
        Assert.Contains("signingDisabled", await Why(new { }));
        Assert.Contains("signingDisabled", await Why(new { tokenKeyName = "t" }));
        Assert.Contains("2048", await Why(new { tokenKeyName = "t", tokenSigningPublicKeys = new { k = PublicKey(1024) } }));
        Assert.Contains("PEM", await Why(new { tokenKeyName = "t", tokenSigningPublicKeys = new { k = "no key" } }));
        using var key = RSA.Create(2048);
        Assert.Contains("private key", await Why(new { tokenKeyName = "t", tokenSigningPublicKeys = new { k = key.ExportPkcs8PrivateKeyPem() } }));
    }

    [Fact]
    public async Task Listings_go_by_name_either_way_and_by_status()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        foreach (var name in new[] { "b", "a", "c" })
            await account.Call("CreateAuthorizer", new { authorizerName = name, authorizerFunctionArn = Lambda, signingDisabled = true, status = name == "c" ? "INACTIVE" : "ACTIVE" });
        async Task<string> List(object request)
        {
            var names = new StringBuilder();
            var page = System.Text.Json.JsonSerializer.SerializeToNode(request)!.AsObject();
            while (true)
            {
                var answer = await account.Call("ListAuthorizers", page.DeepClone());
                foreach (var one in answer["authorizers"]!.AsArray())
                    names.Append((string)one!["authorizerName"]!);
                if (answer["nextMarker"] is not { } next)
                    return names.ToString();
                page["marker"] = next.DeepClone();
            }
        }
        Assert.Equal("abc", await List(new { ascendingOrder = true, pageSize = 1 }));
        Assert.Equal("cba", await List(new { pageSize = 2 }));
        Assert.Equal("ab", await List(new { ascendingOrder = true, status = "ACTIVE" }));
        Assert.Equal("c", await List(new { status = "INACTIVE" }));
    }

    [Fact]
    public async Task An_account_has_one_default_authorizer_and_keeps_it_usable()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        foreach (var name in new[] { "a", "b" })
            await account.Call("CreateAuthorizer", new { authorizerName = name, authorizerFunctionArn = Lambda, signingDisabled = true });
        Assert.Equal("ResourceNotFoundException", (await account.Refused("DescribeDefaultAuthorizer", new { })).Code);
        await account.Call("SetDefaultAuthorizer", new { authorizerName = "a" });
        Assert.Equal("ResourceAlreadyExistsException", (await account.Refused("SetDefaultAuthorizer", new { authorizerName = "a" })).Code);
        await account.Call("SetDefaultAuthorizer", new { authorizerName = "b" });
        Assert.Equal("b", (string)(await account.Call("DescribeDefaultAuthorizer", new { }))["authorizerDescription"]!["authorizerName"]!);
        Assert.Equal("InvalidRequestException", (await account.Refused("UpdateAuthorizer", new { authorizerName = "b", status = "INACTIVE" })).Code);
        Assert.Equal("DeleteConflictException", (await account.Refused("DeleteAuthorizer", new { authorizerName = "b" })).Code);
        await account.Call("ClearDefaultAuthorizer", new { });
        Assert.Equal("ResourceNotFoundException", (await account.Refused("ClearDefaultAuthorizer", new { })).Code);
    }

    [Fact]
    public async Task A_function_that_no_host_runs_is_named_when_it_is_asked()
    {
        await using var house = new SecurityHouse();
        var account = house.NewAccount();
        await account.Call("CreateAuthorizer", new { authorizerName = "a", authorizerFunctionArn = Lambda, signingDisabled = true });
        var refusal = await account.Refused("TestInvokeAuthorizer", new { authorizerName = "a", mqttContext = new { username = "u" } });
        Assert.Equal("InvalidResponseException", refusal.Code);
        Assert.Contains("runs no functions", refusal.Message);
    }

    [Fact]
    public async Task Testing_an_authorizer_shows_what_the_function_gets_and_says()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        using var key = RSA.Create(2048);
        await account.Authorizer("judge", new { signingDisabled = false, tokenKeyName = "my-token", tokenSigningPublicKeys = new { k = key.ExportSubjectPublicKeyInfoPem() } });
        var policy = Document("iot:Connect", "*");
        house.Function.Says = _ => ToyFunction.Allow(policy, "someone", 600, 1200);
        var signature = Convert.ToBase64String(key.SignData("hello"u8, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        var answer = await account.Call("TestInvokeAuthorizer", new
        {
            authorizerName = "judge", token = "hello", tokenSignature = signature,
            mqttContext = new { username = "u", password = "cHc=", clientId = "c" },
            httpContext = new { headers = new { h = "v" }, queryString = "?q=1" },
            tlsContext = new { serverName = "s" },
        });
        Assert.True((bool)answer["isAuthenticated"]!);
        Assert.Equal("someone", (string)answer["principalId"]!);
        Assert.Equal((600, 1200), ((int)answer["refreshAfterInSeconds"]!, (int)answer["disconnectAfterInSeconds"]!));
        Assert.Equal(policy, (string)answer["policyDocuments"]![0]!);
        var asked = Assert.Single(house.Function.Asked);
        Assert.True(Guid.TryParse((string?)asked["connectionMetadata"]!["id"], out _));
        asked.AsObject().Remove("connectionMetadata");
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""
            {"token":"hello","signatureVerified":true,"protocols":["tls","http","mqtt"],
             "protocolData":{"tls":{"serverName":"s"},"http":{"headers":{"h":"v"},"queryString":"?q=1"},"mqtt":{"username":"u","password":"cHc=","clientId":"c"}}}
            """), asked), asked.ToJsonString());
        Assert.Contains("not by any", (await account.Refused("TestInvokeAuthorizer", new { authorizerName = "judge", token = "other", tokenSignature = signature })).Message);
        Assert.Contains("needs a token", (await account.Refused("TestInvokeAuthorizer", new { authorizerName = "judge" })).Message);
        Assert.Single(house.Function.Asked);
    }

    [Theory]
    [InlineData("no json", "not JSON")]
    [InlineData("""{"principalId":"p"}""", "isAuthenticated")]
    [InlineData("""{"isAuthenticated":true,"principalId":"p","policyDocuments":[{}]}""", "malformed")]
    [InlineData("""{"isAuthenticated":true,"principalId":"with space","policyDocuments":[{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}]}]}""", "principalId")]
    [InlineData("""{"isAuthenticated":true,"principalId":"p","policyDocuments":[]}""", "policyDocuments")]
    [InlineData("""{"isAuthenticated":true,"principalId":"p","refreshAfterInSeconds":5,"policyDocuments":["{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"iot:Connect\",\"Resource\":\"*\"}]}"]}""", "refreshAfterInSeconds")]
    [InlineData(null, "status 500")]
    public async Task An_answer_that_is_not_as_it_must_be_is_refused_with_the_reason(string? says, string why)
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        await account.Authorizer("judge");
        house.Function.Says = _ => says;
        var refusal = await account.Refused("TestInvokeAuthorizer", new { authorizerName = "judge" });
        Assert.Equal("InvalidResponseException", refusal.Code);
        Assert.Contains(why, refusal.Message);
    }
}
