using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Althing.Core.Connectivity;
using Althing.Mqtt;
using Althing.Tests.Broker;
using Microsoft.Extensions.DependencyInjection;
using static Althing.Tests.Core.SecurityAccount;

namespace Althing.Tests.Core;

/// <summary>What is kept of clients that are gone, and messages right to those who are there.</summary>
public sealed class ConnectivityTests
{
    static void Nobody(TestConnect wish) => (wish.Account, wish.Password) = (null, null);

    static async Task<System.Text.Json.Nodes.JsonObject> Data(DoorHouse house, DoorAccount account, string thing, bool socket = false)
    {
        await house.Services.GetRequiredService<ConnectivityKeeper>().Settled;
        return await account.Call("GetThingConnectivityData", new { thingName = thing, includeSocketInformation = socket });
    }

    [Fact]
    public async Task A_thing_is_known_to_be_connected_and_why_not_any_more()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        var device = await account.Device();
        await account.Call("CreateThing", new { thingName = "pump" });
        Assert.Equal("ResourceNotFoundException", (await account.Refused("GetThingConnectivityData", new { thingName = "none" })).Code);
        var never = await Data(house, account, "pump");
        Assert.Equal((false, "NONE", null), ((bool)never["connected"]!, (string)never["disconnectReason"]!, never["timestamp"]?.ToString()));
        await using (var client = await TestClient.Over(await house.Mqtts(device.Certificate), "pump", w => { Nobody(w); w.Version = MqttVersion.V5; w.KeepAlive = 77; }))
        {
            var now = await Data(house, account, "pump", socket: true);
            Assert.Equal((true, "NONE", 77, "127.0.0.1"), ((bool)now["connected"]!, (string)now["disconnectReason"]!, (int)now["keepAliveDuration"]!, (string)now["sourceIp"]!));
            Assert.Equal("127.0.0.1", (string)now["targetIp"]!);
            Assert.Null((await Data(house, account, "pump"))["sourceIp"]);
            house.Time.Advance(TimeSpan.FromSeconds(30));
            await account.Call("DeleteConnection", new { clientId = "pump" }, "iot-data");
            Assert.Equal(ReasonCode.AdministrativeAction, await client.Closed());
        }
        var after = await Data(house, account, "pump");
        Assert.Equal((false, "API_INITIATED_DISCONNECT"), ((bool)after["connected"]!, (string)after["disconnectReason"]!));
        Assert.Equal(house.Time.GetUtcNow().ToUnixTimeMilliseconds() / 1000m, (decimal)after["timestamp"]!);
    }

    [Fact]
    public async Task The_thing_that_a_client_of_another_name_stands_for_is_found()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        var device = await account.Device();
        await account.Call("CreateThing", new { thingName = "pump" });
        await account.Call("AttachThingPrincipal", new { thingName = "pump", principal = device.Arn, thingPrincipalType = "EXCLUSIVE_THING" });
        await using var client = await TestClient.Over(await house.Mqtts(device.Certificate), "something else", Nobody);
        var now = await Data(house, account, "pump");
        Assert.Equal((true, "something else"), ((bool)now["connected"]!, (string)now["clientId"]!));
    }

    [Fact]
    public async Task A_direct_message_reaches_a_client_that_subscribed_to_nothing()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        var device = await account.Device($$"""
            {"Version":"2012-10-17","Statement":[
              {"Effect":"Allow","Action":"iot:Connect","Resource":"*"},
              {"Effect":"Allow","Action":"iot:Receive","Resource":"{{account.Arn("topic/commands/*")}}"}]}
            """);
        await using var client = await TestClient.Over(await house.Mqtts(device.Certificate), "pump", w => { Nobody(w); w.Version = MqttVersion.V5; });
        async Task<(int Status, string Body)> Send(string topic, string more, string clientId = "pump")
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(house.Address, $"/connections/{clientId}/messages?topic={Uri.EscapeDataString(topic)}{more}"))
            {
                Content = new ByteArrayContent(Encoding.UTF8.GetBytes("now")) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } },
            };
            account.Signer("iotdata").Sign(request, "now"u8);
            using var http = new HttpClient();
            using var answer = await http.SendAsync(request);
            return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }
        Assert.Equal(200, (await Send("commands/reboot", "&contentType=text%2Fplain")).Status);
        var got = await client.Message();
        Assert.Equal(("commands/reboot", "now", 0, "text/plain"), (got.Topic, got.Payload, got.QoS, got.Properties!.ContentType));
        var confirmed = Send("commands/reboot", "&confirmation=true");
        got = await client.Message();
        Assert.Equal(1, got.QoS);
        Assert.False(confirmed.IsCompleted);
        await client.Acknowledge(got.PacketId);
        var (status, body) = await confirmed;
        Assert.Equal(200, status);
        Assert.Contains("traceId", body);
        Assert.Equal(403, (await Send("secret/x", "")).Status);
        Assert.Equal(404, (await Send("commands/reboot", "", "nobody")).Status);
        Assert.Equal(400, (await Send("commands/+", "")).Status);
        Assert.Equal(400, (await Send("commands/reboot", "&timeout=0")).Status);
        var late = Send("commands/reboot", "&confirmation=true&timeout=5");
        await client.Message();
        house.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(504, (await late).Status);
    }

    [Fact]
    public async Task A_sender_may_be_held_to_topics()
    {
        await using var house = await DoorHouse.Open();
        var account = await house.NewAccount();
        var device = await account.Device();
        var sender = await account.Device($$$"""
            {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:SendDirectMessage","Resource":"{{{account.Arn("client/pump")}}}",
              "Condition":{"StringLike":{"iot:Topic":"commands/*"} } }]}
            """);
        await using var client = await TestClient.Over(await house.Mqtts(device.Certificate), "pump", Nobody);
        using var http = house.Https(sender.Certificate);
        Assert.Equal(HttpStatusCode.OK, (await http.PostAsync("/connections/pump/messages?topic=commands/x", new StringContent("a"))).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await http.PostAsync("/connections/pump/messages?topic=other/x", new StringContent("b"))).StatusCode);
        Assert.Equal("a", await client.Payload());
    }

    [Fact]
    public async Task An_account_whose_clients_connect_too_fast_is_told_when_to_come_again()
    {
        await using var house = await DoorHouse.Open(new() { ConnectsPerSecondMax = 1, ConnectBurst = 2 });
        var (account, other) = (await house.NewAccount(), await house.NewAccount());
        var (device, bystander) = (await account.Device(), await other.Device());
        async Task<TestClient> Connect(TestDevice who) => await TestClient.Over(await house.Mqtts(who.Certificate), Guid.NewGuid().ToString(), w => { Nobody(w); w.Version = MqttVersion.V5; w.MayFail = true; });
        for (var i = 0; i < 2; i++)
        {
            await using var client = await Connect(device);
            Assert.Equal(0, client.Answer.Code);
        }
        await using (var third = await Connect(device))
        {
            Assert.Equal((byte)ReasonCode.ConnectionRateExceeded, third.Answer.Code);
            Assert.Matches(@"again in \d+ s", third.Answer.Properties!.ReasonString);
        }
        await using (var another = await Connect(bystander))
            Assert.Equal(0, another.Answer.Code);
        house.Time.Advance(TimeSpan.FromSeconds(1));
        await using var again = await Connect(device);
        Assert.Equal(0, again.Answer.Code);
    }
}
