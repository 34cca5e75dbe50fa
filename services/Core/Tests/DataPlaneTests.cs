using System.Text;
using System.Text.Json.Nodes;
using Althing.Broker;
using Althing.Mqtt;
using Althing.Tests.Broker;

namespace Althing.Tests.Core;

/// <summary>The data plane's operations on a broker with real clients; its own authority lets a user of the account's name in.</summary>
public sealed class DataPlaneTests
{
    static Task<JsonObject> Call(SecurityAccount account, string operation, object request) => account.Call(operation, request, "iot-data");

    static async Task<string> Refused(SecurityAccount account, string operation, object request) => (await account.Refused(operation, request, "iot-data")).Code;

    static Task<TestClient> Connect(BrokerHouse mqtt, SecurityAccount account, string clientId, Action<TestConnect>? change = null) =>
        mqtt.Connect(clientId, c =>
        {
            c.Account = account.Id.Value;
            change?.Invoke(c);
        });

    [Fact]
    public async Task Retained_messages_are_read_and_listed()
    {
        await using var mqtt = await BrokerHouse.Start();
        await using var house = new SecurityHouse(mqtt.Broker);
        var (account, other) = (house.NewAccount(), house.NewAccount());
        foreach (var i in Enumerable.Range(0, 5))
            await mqtt.Broker.Publish(account.Id, new($"a/{i}", Encoding.UTF8.GetBytes($"text {i}")) { QoS = 1, Retain = true, UserProperties = [new("k", "1"), new("k", "2")] }, default);
        await mqtt.Broker.Publish(account.Id, new("a/loose", "x"u8.ToArray()), default);
        var read = await Call(account, "GetRetainedMessage", new { topic = "a/3" });
        Assert.Equal("text 3", Encoding.UTF8.GetString(Convert.FromBase64String((string)read["payload"]!)));
        Assert.Equal(1, (int?)read["qos"]);
        Assert.Equal(mqtt.Time.GetUtcNow().ToUnixTimeMilliseconds(), (long?)read["lastModifiedTime"]);
        Assert.Equal("""[{"k":"1"},{"k":"2"}]""", Encoding.UTF8.GetString(Convert.FromBase64String((string)read["userProperties"]!)));
        var first = await Call(account, "ListRetainedMessages", new { maxResults = 3 });
        var rest = await Call(account, "ListRetainedMessages", new { maxResults = 3, nextToken = (string)first["nextToken"]! });
        Assert.Equal(["a/0", "a/1", "a/2", "a/3", "a/4"],
            first["retainedTopics"]!.AsArray().Concat(rest["retainedTopics"]!.AsArray()).Select(t => (string)t!["topic"]!));
        Assert.Equal(6, (long?)first["retainedTopics"]![0]!["payloadSize"]);
        Assert.Null(rest["nextToken"]);
        Assert.Equal("ResourceNotFoundException", await Refused(account, "GetRetainedMessage", new { topic = "a/loose" }));
        Assert.Equal("ResourceNotFoundException", await Refused(other, "GetRetainedMessage", new { topic = "a/3" }));
        Assert.Empty((await Call(other, "ListRetainedMessages", new { }))["retainedTopics"]!.AsArray());
    }

    [Fact]
    public async Task A_connection_and_the_session_after_it_are_described()
    {
        await using var mqtt = await BrokerHouse.Start();
        await using var house = new SecurityHouse(mqtt.Broker);
        var (account, other) = (house.NewAccount(), house.NewAccount());
        await using var client = await Connect(mqtt, account, "pump", c => c.CleanStart = false);
        var now = mqtt.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var live = await Call(account, "GetConnection", new { clientId = "pump" });
        Assert.True((bool?)live["connected"]);
        Assert.False((bool?)live["cleanSession"]);
        Assert.Equal(60, (int?)live["keepAliveDuration"]);
        Assert.Equal(now, (long?)live["connectedSince"]);
        Assert.Null(live["sourceIp"]);
        Assert.Equal("127.0.0.1", (string?)(await Call(account, "GetConnection", new { clientId = "pump", includeSocketInformation = true }))["sourceIp"]);
        Assert.Equal("ResourceNotFoundException", await Refused(other, "GetConnection", new { clientId = "pump" }));
        mqtt.Time.Advance(TimeSpan.FromSeconds(5));
        await Call(account, "DeleteConnection", new { clientId = "pump" });
        var waiting = await Call(account, "GetConnection", new { clientId = "pump" });
        Assert.False((bool?)waiting["connected"]);
        Assert.Equal(now + 5000, (long?)waiting["disconnectedSince"]);
        Assert.Null(waiting["connectedSince"]);
    }

    [Fact]
    public async Task Subscriptions_are_listed_page_by_page()
    {
        await using var mqtt = await BrokerHouse.Start();
        await using var house = new SecurityHouse(mqtt.Broker);
        var account = house.NewAccount();
        await using var client = await Connect(mqtt, account, "pump");
        await client.Subscribe(new("b/+", 1), new("a", 0), new("c/#", 1));
        var first = await Call(account, "ListSubscriptions", new { clientId = "pump", maxResults = 2 });
        var rest = await Call(account, "ListSubscriptions", new { clientId = "pump", maxResults = 2, nextToken = (string)first["nextToken"]! });
        Assert.Equal(["a 0", "b/+ 1", "c/# 1"],
            first["subscriptions"]!.AsArray().Concat(rest["subscriptions"]!.AsArray()).Select(s => $"{s!["topicFilter"]} {s["qos"]}"));
        Assert.Equal("ResourceNotFoundException", await Refused(account, "ListSubscriptions", new { clientId = "none" }));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task A_deleted_connection_keeps_or_loses_its_session_and_its_will(bool cleanSession, bool preventWillMessage)
    {
        await using var mqtt = await BrokerHouse.Start();
        await using var house = new SecurityHouse(mqtt.Broker);
        var account = house.NewAccount();
        await using var watcher = await Connect(mqtt, account, "watcher");
        await watcher.Subscribe("wills/#");
        await using var client = await Connect(mqtt, account, "pump", c =>
        {
            c.CleanStart = false;
            c.Will = new("wills/pump", "gone"u8.ToArray(), 0, false, null);
        });
        await client.Subscribe("a", 1);
        await Call(account, "DeleteConnection", new { clientId = "pump", cleanSession, preventWillMessage });
        await client.Closed();
        if (preventWillMessage)
            await watcher.Nothing();
        else
            Assert.Equal("wills/pump", (await watcher.Message()).Topic);
        Assert.Equal("ResourceNotFoundException", await Refused(account, "DeleteConnection", new { clientId = "pump" }));
        await using var again = await Connect(mqtt, account, "pump", c => c.CleanStart = false);
        Assert.Equal(!cleanSession, again.Answer.SessionPresent);
    }
}
