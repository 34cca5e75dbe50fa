using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Althing.Mqtt;
using Althing.Tests.Broker;
using static Althing.Tests.Core.SecurityAccount;

namespace Althing.Tests.Core;

/// <summary>Clients that a custom authorizer lets in, by every door.</summary>
public sealed class CustomAuthenticationTests
{
    static string Policy(DoorAccount account, string topic = "fleet/*") => $$"""
        {"Version":"2012-10-17","Statement":[
          {"Effect":"Allow","Action":"iot:Connect","Resource":"{{account.Arn("client/${iot:ClientId}")}}"},
          {"Effect":"Allow","Action":["iot:Publish","iot:Receive"],"Resource":"{{account.Arn("topic/" + topic)}}"},
          {"Effect":"Allow","Action":"iot:Subscribe","Resource":"{{account.Arn("topicfilter/" + topic)}}"}]}
        """;

    static Action<TestConnect> As(string? user, string? password = null, bool mayFail = false) =>
        w => (w.Account, w.Password, w.MayFail, w.Version, w.KeepAlive) = (user, password, mayFail, MqttVersion.V5, 0);

    [Fact]
    public async Task A_device_without_certificate_signs_in_with_name_and_password()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        await account.Authorizer("judge");
        house.Function.Says = asked => (string?)asked["protocolData"]!["mqtt"]!["password"] == "b3Blbg==" ? ToyFunction.Allow(Policy(account), "p7") : """{"isAuthenticated":false}""";
        const string Name = "pump?x-amz-customauthorizer-name=judge";
        await using var client = await TestClient.Over(await house.Mqtts(alpn: "mqtt"), "pump", As(Name, "open"));
        Assert.Equal([ReasonCode.Success], await client.Subscribe("fleet/x"));
        Assert.Equal([ReasonCode.NotAuthorized], await client.Subscribe("other/x"));
        var asked = Assert.Single(house.Function.Asked);
        Assert.Equal(["tls", "mqtt"], asked["protocols"]!.AsArray().Select(p => (string)p!));
        Assert.Equal(DoorHouse.HostName, (string)asked["protocolData"]!["tls"]!["serverName"]!);
        Assert.Equal(Name, (string)asked["protocolData"]!["mqtt"]!["username"]!);
        Assert.Equal("pump", (string)asked["protocolData"]!["mqtt"]!["clientId"]!);
        Assert.False((bool)asked["signatureVerified"]!);
        Assert.Null(asked["token"]);
        await using var wrong = await TestClient.Over(await house.Mqtts(alpn: "mqtt"), "pump2", As(Name, "wrong", mayFail: true));
        Assert.Equal((byte)ReasonCode.NotAuthorized, wrong.Answer.Code);
        await using var unknown = await TestClient.Over(await house.Mqtts(alpn: "mqtt"), "pump3", As("x?x-amz-customauthorizer-name=nobody", "open", mayFail: true));
        Assert.Equal((byte)ReasonCode.NotAuthorized, unknown.Answer.Code);
    }

    [Fact]
    public async Task A_tokens_signature_is_checked_before_the_function_is_called()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        using var key = RSA.Create(2048);
        await account.Authorizer("judge", new { signingDisabled = false, tokenKeyName = "tok", tokenSigningPublicKeys = new { k = key.ExportSubjectPublicKeyInfoPem() } });
        await account.Call("SetDefaultAuthorizer", new { authorizerName = "judge" });
        house.Function.Says = _ => ToyFunction.Allow(Policy(account));
        var signature = Uri.EscapeDataString(Convert.ToBase64String(key.SignData("t 1"u8, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)));
        await using var right = await TestClient.Over(await house.Mqtts(), "c", As($"?SDK=x&tok=t%201&x-amz-customauthorizer-signature={signature}"));
        var asked = Assert.Single(house.Function.Asked);
        Assert.Equal(("t 1", true), ((string)asked["token"]!, (bool)asked["signatureVerified"]!));
        foreach (var bad in new[] { $"?tok=t%202&x-amz-customauthorizer-signature={signature}", "?tok=t%201", "?tok=t%201&x-amz-customauthorizer-signature=AAAA" })
        {
            await using var wrong = await TestClient.Over(await house.Mqtts(), "d", As(bad, mayFail: true));
            Assert.Equal((byte)ReasonCode.NotAuthorized, wrong.Answer.Code);
        }
        Assert.Single(house.Function.Asked);
    }

    [Fact]
    public async Task The_function_is_asked_again_and_its_new_answer_holds()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        await account.Authorizer("judge");
        house.Function.Says = _ => ToyFunction.Allow(house.Function.Asked.Count == 1 ? Policy(account) : Policy(account, "else/*"));
        await using var client = await TestClient.Over(await house.Mqtts(), "c", As("?x-amz-customauthorizer-name=judge"));
        Assert.Equal([ReasonCode.NotAuthorized], await client.Subscribe("else/x"));
        house.Time.Advance(TimeSpan.FromSeconds(300));
        await Until(async () => (await client.Subscribe("else/x"))[0] == ReasonCode.Success);
        Assert.Equal([ReasonCode.NotAuthorized], await client.Subscribe("fleet/x"));
        house.Function.Says = _ => """{"isAuthenticated":false}""";
        house.Time.Advance(TimeSpan.FromSeconds(300));
        Assert.Equal(ReasonCode.NotAuthorized, await client.Closed());
    }

    [Fact]
    public async Task A_connection_ends_when_the_function_said_and_when_it_fails()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        await account.Authorizer("judge");
        house.Function.Says = asked => ToyFunction.Allow(Policy(account), refresh: (string?)asked["protocolData"]!["mqtt"]!["clientId"] == "short" ? 86400 : 600, disconnect: 900);
        await using var shortly = await TestClient.Over(await house.Mqtts(), "short", As("?x-amz-customauthorizer-name=judge"));
        await using var failing = await TestClient.Over(await house.Mqtts(), "failing", As("?x-amz-customauthorizer-name=judge"));
        house.Function.Says = _ => null;
        house.Time.Advance(TimeSpan.FromSeconds(600));
        Assert.Equal(ReasonCode.NotAuthorized, await failing.Closed());
        await shortly.Ping();
        house.Time.Advance(TimeSpan.FromSeconds(300));
        Assert.Equal(ReasonCode.MaximumConnectTime, await shortly.Closed());
    }

    [Fact]
    public async Task A_WebSocket_takes_the_credentials_in_its_opening_request_or_in_CONNECT()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        await account.Authorizer("judge", new { tokenKeyName = "tok" });
        house.Function.Says = asked => (string?)asked["token"] == "good" ? ToyFunction.Allow(Policy(account)) : """{"isAuthenticated":false}""";
        async Task<Stream> Open(string query, params (string, string)[] headers) =>
            await DoorHouse.WebSocketOver(await house.Tls(1, null, DoorHouse.HostName, null), query, headers);
        await using var byQuery = await TestClient.Over(await Open("?x-amz-customauthorizer-name=judge&tok=good"), "a", As(null));
        await using var byHeader = await TestClient.Over(await Open("", ("X-Amz-CustomAuthorizer-Name", "judge"), ("tok", "good")), "b", As(null));
        await using var byConnect = await TestClient.Over(await Open(""), "c", As("?x-amz-customauthorizer-name=judge&tok=good"));
        await Assert.ThrowsAsync<WebSocketException>(() => Open("?x-amz-customauthorizer-name=judge&tok=bad"));
        Assert.Equal(["tls", "http"], house.Function.Asked.First()["protocols"]!.AsArray().Select(p => (string)p!));
        Assert.Equal("?x-amz-customauthorizer-name=judge&tok=good", (string)house.Function.Asked.First()["protocolData"]!["http"]!["queryString"]!);
        Assert.Equal(["tls", "http", "mqtt"], house.Function.Asked.ElementAt(2)["protocols"]!.AsArray().Select(p => (string)p!));
        Assert.Equal(3, house.Broker.ConnectionCount);
    }

    [Fact]
    public async Task HTTPS_publish_asks_each_time_unless_caching_is_enabled()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        await account.Authorizer("judge", new { tokenKeyName = "tok" });
        await account.Authorizer("caching", new { tokenKeyName = "tok", enableCachingForHttp = true });
        house.Function.Says = asked => (string?)asked["token"] == "good" ? ToyFunction.Allow(Policy(account)) : """{"isAuthenticated":false}""";
        TaskCompletionSource<string> got = new();
        using var heard = house.Broker.Subscribe(account.Id, "fleet/x", m => got.TrySetResult(Encoding.UTF8.GetString(m.Message.Payload.Span)));
        using var http = house.Https();
        async Task<HttpStatusCode> Publish(string topic, string authorizer, string token)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/topics/{topic}?qos=1") { Content = new StringContent("hello") };
            request.Headers.Add("x-amz-customauthorizer-name", authorizer);
            request.Headers.Add("tok", token);
            using var answer = await http.SendAsync(request);
            return answer.StatusCode;
        }
        Assert.Equal(HttpStatusCode.OK, await Publish("fleet/x", "judge", "good"));
        Assert.Equal("hello", await got.Task);
        Assert.Equal(HttpStatusCode.OK, await Publish("fleet/x", "judge", "good"));
        Assert.Equal(2, house.Function.Asked.Count);
        Assert.Equal(HttpStatusCode.Forbidden, await Publish("other/x", "judge", "good"));
        Assert.Equal(HttpStatusCode.Forbidden, await Publish("fleet/x", "judge", "bad"));
        Assert.Equal(HttpStatusCode.Forbidden, await Publish("fleet/x", "nobody", "good"));
        Assert.Equal(4, house.Function.Asked.Count);
        for (var i = 0; i < 3; i++)
            Assert.Equal(HttpStatusCode.OK, await Publish("fleet/x", "caching", "good"));
        Assert.Equal(5, house.Function.Asked.Count);
        house.Time.Advance(TimeSpan.FromSeconds(300));
        Assert.Equal(HttpStatusCode.OK, await Publish("fleet/x", "caching", "good"));
        Assert.Equal(6, house.Function.Asked.Count);
        using var query = await http.PostAsync("/topics/fleet/x?x-amz-customauthorizer-name=judge&tok=good", new StringContent("by query"));
        Assert.Equal(HttpStatusCode.OK, query.StatusCode);
    }

    [Fact]
    public async Task Accounts_have_authorizers_of_their_own()
    {
        await using var house = await DoorHouse.Open();
        var (first, second) = (await house.NewAccount(), await house.NewAccount());
        await second.Authorizer("judge");
        house.Function.Says = _ => ToyFunction.Allow(Policy(second));
        await using var stranger = await TestClient.Over(await house.Mqtts(serverName: first.ServerName), "c", As("?x-amz-customauthorizer-name=judge", mayFail: true));
        Assert.Equal((byte)ReasonCode.NotAuthorized, stranger.Answer.Code);
        Assert.Empty(house.Function.Asked);
        await using var own = await TestClient.Over(await house.Mqtts(serverName: second.ServerName), "c", As("?x-amz-customauthorizer-name=judge"));
        Assert.Single(house.Broker.Connections(second.Id));
        Assert.Empty(house.Broker.Connections(first.Id));
    }

    static async Task Until(Func<Task<bool>> happened)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await happened())
            await Task.Delay(20, patience.Token);
    }
}
