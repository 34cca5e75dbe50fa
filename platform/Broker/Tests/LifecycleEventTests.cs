using System.Text.Json.Nodes;
using Althing.Broker;
using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Tests.Broker;

/// <summary>What is said of connections on <c>$aws/events/presence</c>.</summary>
public class LifecycleEventTests
{
    static async Task<(BrokerHouse House, TestClient Watch)> Watched()
    {
        var house = await BrokerHouse.Start();
        var watch = await house.Connect("watch", c => c.KeepAlive = 1200);
        await watch.Subscribe("$aws/events/presence/+/one");
        return (house, watch);
    }

    static async Task<(string Kind, JsonNode Event)> Next(TestClient watch)
    {
        var got = await watch.Message();
        return (got.Topic.Split('/')[3], JsonNode.Parse(got.Payload)!);
    }

    static async Task<string> Reason(TestClient watch)
    {
        while (true)
        {
            var (kind, said) = await Next(watch);
            if (kind != "disconnected")
                continue;
            Assert.Equal((string?)said["disconnectReason"] == "CLIENT_INITIATED_DISCONNECT", (bool)said["clientInitiatedDisconnect"]!);
            return (string)said["disconnectReason"]!;
        }
    }

    [Fact]
    public async Task The_version_number_begins_at_0_rises_over_clean_sessions_and_begins_anew_after_an_hour()
    {
        var (house, watch) = await Watched();
        await using var open = house;
        for (var i = 0; i < 3; i++)
        {
            await using (var one = await house.Connect("one"))
                await one.Disconnect();
            var (first, connected) = await Next(watch);
            var (second, disconnected) = await Next(watch);
            Assert.Equal(("connected", "disconnected"), (first, second));
            Assert.Equal((i, i), ((int)connected["versionNumber"]!, (int)disconnected["versionNumber"]!));
            Assert.Equal((string?)connected["sessionIdentifier"], (string?)disconnected["sessionIdentifier"]);
        }
        for (var minutes = 0; minutes < 61; minutes += 10)
        {
            house.Time.Advance(TimeSpan.FromMinutes(10));
            await watch.Ping();
        }
        await using var late = await house.Connect("one");
        Assert.Equal(0, (int)(await Next(watch)).Event["versionNumber"]!);
    }

    [Fact]
    public async Task A_take_over_is_told_as_the_end_of_the_old_and_then_the_beginning_of_the_new()
    {
        var (house, watch) = await Watched();
        await using var open = house;
        await using var first = await house.Connect("one", c => c.CleanStart = false);
        await using var second = await house.Connect("one", c => c.CleanStart = false);
        var (a, b, c) = (await Next(watch), await Next(watch), await Next(watch));
        Assert.Equal(("connected", "disconnected", "connected"), (a.Kind, b.Kind, c.Kind));
        Assert.Equal("DUPLICATE_CLIENTID", (string?)b.Event["disconnectReason"]);
        Assert.Equal((0, 0, 1), ((int)a.Event["versionNumber"]!, (int)b.Event["versionNumber"]!, (int)c.Event["versionNumber"]!));
    }

    [Fact]
    public async Task The_version_number_of_a_persistent_session_rises_over_a_crash()
    {
        await using var house = await BrokerHouse.Start();
        await using (await house.Connect("one", c => c.CleanStart = false))
        {
        }
        await house.Crash();
        await using var watch = await house.Connect("watch");
        await watch.Subscribe("$aws/events/presence/+/one");
        await using var one = await house.Connect("one", c => c.CleanStart = false);
        Assert.Equal(1, (int)(await Next(watch)).Event["versionNumber"]!);
    }

    [Fact]
    public async Task Every_end_has_its_reason()
    {
        var (house, watch) = await Watched();
        await using var open = house;
        Task<TestClient> One(Action<TestConnect>? change = null) => house.Connect("one", change);
        await (await One()).Disconnect();
        Assert.Equal("CLIENT_INITIATED_DISCONNECT", await Reason(watch));
        (await One()).Break();
        Assert.Equal("CONNECTION_LOST", await Reason(watch));
        await (await One()).Raw(new byte[] { 0xF0, 0 });
        Assert.Equal("CLIENT_ERROR", await Reason(watch));
        await (await One()).Publish("t", new string('x', 130 * 1024));
        Assert.Equal("CLIENT_ERROR", await Reason(watch));
        house.Authority.Deny(DeviceAction.Publish, "no");
        await (await One()).Publish("no", "x");
        Assert.Equal("AUTH_ERROR", await Reason(watch));
        await One();
        house.Authority.Revoke("one");
        Assert.Equal("AUTH_ERROR", await Reason(watch));
        await One();
        Assert.True(await house.Broker.Disconnect(new("111111111111"), "one", default));
        Assert.Equal("API_INITIATED_DISCONNECT", await Reason(watch));
        await One(c => c.KeepAlive = 5);
        house.Time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal("MQTT_KEEP_ALIVE_TIMEOUT", await Reason(watch));
    }

    [Fact]
    public async Task Client_ids_with_wildcards_have_no_events()
    {
        await using var house = await BrokerHouse.Start();
        await using var watch = await house.Connect("watch");
        await watch.Subscribe("$aws/events/presence/#");
        await using (var odd = await house.Connect("a+b#"))
            await odd.Ping();
        await watch.Nothing();
    }
}
