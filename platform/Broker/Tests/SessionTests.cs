using System.Text;
using System.Text.Json.Nodes;
using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Tests.Broker;

/// <summary>Sessions, wills, keep-alive, lifecycle events.</summary>
public class SessionTests
{
    [Fact]
    public async Task What_a_persistent_session_was_promised_survives_a_crash_in_order()
    {
        await using var house = await BrokerHouse.Start();
        await using (var sub = await house.Connect("sub", c => c.CleanStart = false))
        {
            await sub.Subscribe("t", 1);
            await sub.Disconnect();
            await sub.Closed();
        }
        await using (var pub = await house.Connect("pub"))
        {
            for (ushort i = 1; i <= 20; i++)
                await pub.PublishSurely("t", i.ToString(), id: i);
        }
        await house.Crash();
        await using var back = await house.Connect("sub", c => c.CleanStart = false);
        Assert.True(back.Answer.SessionPresent);
        for (var i = 1; i <= 20; i++)
        {
            var got = await back.Message();
            Assert.Equal(i.ToString(), got.Payload);
            if (i <= 10)
                await back.Acknowledge(got.PacketId);
        }
        await back.Ping();
        await house.Crash();
        await using var again = await house.Connect("sub", c => c.CleanStart = false);
        for (var i = 11; i <= 20; i++)
            Assert.Equal(i.ToString(), await again.Payload());
        await again.Nothing();
    }

    [Fact]
    public async Task Unacknowledged_messages_come_again_as_duplicates()
    {
        await using var house = await BrokerHouse.Start();
        await using var pub = await house.Connect("pub");
        var sub = await house.Connect("sub", c => c.CleanStart = false);
        await sub.Subscribe("t", 1);
        await pub.PublishSurely("t", "1");
        var first = await sub.Message();
        Assert.False(first.Duplicate);
        sub.Break();
        await using var back = await house.Connect("sub", c => c.CleanStart = false);
        var second = await back.Message();
        Assert.Equal((first.PacketId, true), (second.PacketId, second.Duplicate));
    }

    [Fact]
    public async Task Receive_maximum_holds_messages_back_until_others_are_acknowledged()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub", c => (c.Version, c.Properties) = (MqttVersion.V5, new() { ReceiveMaximum = 2 }));
        await using var pub = await house.Connect("pub");
        await sub.Subscribe("t", 1);
        for (ushort i = 1; i <= 3; i++)
            await pub.PublishSurely("t", i.ToString(), id: i);
        var first = await sub.Message();
        await sub.Message();
        await sub.Nothing();
        await sub.Acknowledge(first.PacketId);
        Assert.Equal("3", await sub.Payload());
    }

    [Fact]
    public async Task A_clean_start_ends_the_session()
    {
        await using var house = await BrokerHouse.Start();
        await using (var sub = await house.Connect("sub", c => c.CleanStart = false))
            await sub.Subscribe("t", 1);
        await using (var clean = await house.Connect("sub"))
            Assert.False(clean.Answer.SessionPresent);
        await using var after = await house.Connect("sub", c => c.CleanStart = false);
        Assert.False(after.Answer.SessionPresent);
    }

    [Fact]
    public async Task A_session_ends_when_its_time_is_over()
    {
        await using var house = await BrokerHouse.Start();
        await using (var sub = await house.Connect("sub", c => (c.Version, c.Properties) = (MqttVersion.V5, new() { SessionExpirySeconds = 60 })))
        {
            await sub.Subscribe("t", 1);
            await sub.Disconnect();
            await sub.Closed();
        }
        await Eventually.True(() => house.Broker.ConnectionCount == 0);
        house.Time.Advance(TimeSpan.FromSeconds(59));
        await using (var within = await house.Connect("sub", c => (c.Version, c.CleanStart, c.Properties) = (MqttVersion.V5, false, new() { SessionExpirySeconds = 60 })))
        {
            Assert.True(within.Answer.SessionPresent);
            await within.Disconnect();
            await within.Closed();
        }
        await Eventually.True(() => house.Broker.ConnectionCount == 0);
        house.Time.Advance(TimeSpan.FromSeconds(61));
        await using var late = await house.Connect("sub", c => (c.Version, c.CleanStart) = (MqttVersion.V5, false));
        Assert.False(late.Answer.SessionPresent);
    }

    [Fact]
    public async Task A_second_connection_of_a_client_id_takes_over()
    {
        await using var house = await BrokerHouse.Start();
        await using var first = await house.Connect("one", c => c.Version = MqttVersion.V5);
        await using var second = await house.Connect("one", c => c.Version = MqttVersion.V5);
        Assert.Equal(ReasonCode.SessionTakenOver, await first.Closed());
        await second.Ping();
        Assert.Equal(1, house.Broker.ConnectionCount);
    }

    [Fact]
    public async Task The_will_is_published_when_a_connection_breaks_and_not_after_disconnect()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub");
        await sub.Subscribe("wills/+");
        var broken = await house.Connect("broken", c => c.Will = new("wills/broken", "gone"u8.ToArray(), 1, false, null));
        await using var polite = await house.Connect("polite", c => c.Will = new("wills/polite", "gone"u8.ToArray(), 1, false, null));
        await polite.Disconnect();
        await polite.Closed();
        broken.Break();
        Assert.Equal("wills/broken", (await sub.Message()).Topic);
        await sub.Nothing();
    }

    [Fact]
    public async Task A_delayed_will_waits_and_is_dropped_when_the_client_comes_back()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub", c => c.KeepAlive = 1200);
        await sub.Subscribe("wills/+");
        Action<TestConnect> with = c => (c.Version, c.CleanStart, c.KeepAlive, c.Properties, c.Will) = (MqttVersion.V5, false, 1200,
            new() { SessionExpirySeconds = 300 }, new("wills/one", "late"u8.ToArray(), 0, false, new() { WillDelaySeconds = 10 }));
        (await house.Connect("one", with)).Break();
        await Eventually.True(() => house.Broker.ConnectionCount == 1);
        var back = await house.Connect("one", with);
        house.Time.Advance(TimeSpan.FromSeconds(11));
        await sub.Nothing();
        back.Break();
        await Eventually.True(() => house.Broker.ConnectionCount == 1);
        house.Time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal("late", await sub.Payload());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(300)]
    public async Task A_crash_of_the_platform_has_wills_published_once_afterwards(int expirySeconds)
    {
        await using var house = await BrokerHouse.Start();
        Action<TestConnect> persistent = c => (c.CleanStart, c.KeepAlive) = (false, 1200);
        Action<TestConnect> With(string will, uint delay) => c => (c.Version, c.CleanStart, c.KeepAlive, c.Properties, c.Will) = (MqttVersion.V5, false, 1200,
            new() { SessionExpirySeconds = (uint)expirySeconds }, new(will, "gone"u8.ToArray(), 1, false, new() { WillDelaySeconds = delay, ContentType = "text/plain" }));
        await using (var sub = await house.Connect("sub", persistent))
        {
            await sub.Subscribe("wills/+", 1);
            await using var now = await house.Connect("now", With("wills/now", 0));
            await using var later = await house.Connect("later", With("wills/later", 30));
            await using var back = await house.Connect("back", With("wills/back", 30));
            await using var polite = await house.Connect("polite", With("wills/polite", 0));
            await polite.Disconnect();
            await polite.Closed();
            await house.Crash();
        }
        await using var again = await house.Connect("sub", persistent);
        house.Time.Advance(TimeSpan.FromSeconds(2));
        List<string> topics = [];
        async Task Take()
        {
            var got = await again.Message();
            topics.Add(got.Topic);
            await again.Acknowledge(got.PacketId);
        }
        await Take();
        if (expirySeconds == 0)
        {
            // A session without a life of its own ends with the connection, and its will does not wait.
            await Take();
            await Take();
            Assert.Equal(["wills/back", "wills/later", "wills/now"], topics.Order());
        }
        else
        {
            Assert.Equal(["wills/now"], topics);
            await using var returned = await house.Connect("back", With("wills/back", 30));
            house.Time.Advance(TimeSpan.FromSeconds(31));
            await Take();
            Assert.Equal("wills/later", topics[1]);
            await returned.Disconnect();
            await returned.Closed();
        }
        await again.Nothing();
        await house.Crash();
        await using var last = await house.Connect("sub", persistent);
        house.Time.Advance(TimeSpan.FromSeconds(61));
        await last.Nothing();
    }

    [Fact]
    public async Task Silence_longer_than_one_and_a_half_keep_alives_ends_the_connection()
    {
        await using var house = await BrokerHouse.Start();
        await using var one = await house.Connect("one", c => (c.Version, c.KeepAlive) = (MqttVersion.V5, 10));
        house.Time.Advance(TimeSpan.FromSeconds(14));
        await one.Ping();
        house.Time.Advance(TimeSpan.FromSeconds(14));
        await one.Ping();
        house.Time.Advance(TimeSpan.FromSeconds(17));
        Assert.Equal(ReasonCode.KeepAliveTimeout, await one.Closed());
    }

    [Fact]
    public async Task A_connection_without_connect_is_closed()
    {
        await using var house = await BrokerHouse.Start();
        await using var silent = await TestClient.Open(house.Port);
        await Eventually.True(() => house.Broker.ConnectionCount == 1);
        house.Time.Advance(TimeSpan.FromSeconds(12));
        await silent.Closed();
    }

    [Fact]
    public async Task Lifecycle_events_tell_of_connections_and_subscriptions()
    {
        await using var house = await BrokerHouse.Start();
        await using var watch = await house.Connect("watch");
        await watch.Subscribe("$aws/events/#");
        var own = await watch.Message();
        Assert.Equal("$aws/events/subscriptions/subscribed/watch", own.Topic);
        await using var one = await house.Connect("one");
        var connected = await watch.Message();
        Assert.Equal("$aws/events/presence/connected/one", connected.Topic);
        var json = JsonNode.Parse(connected.Payload)!;
        Assert.Equal(("one", "connected", "127.0.0.1"), ((string?)json["clientId"], (string?)json["eventType"], (string?)json["ipAddress"]));
        Assert.Equal("user-of-111111111111", (string?)json["principalIdentifier"]);
        await one.Subscribe("a", 0);
        Assert.Equal("a", (string?)JsonNode.Parse(await watch.Payload())!["topics"]![0]);
        await one.Unsubscribe("a");
        Assert.Equal("unsubscribed", (string?)JsonNode.Parse(await watch.Payload())!["eventType"]);
        await one.Disconnect();
        var gone = JsonNode.Parse(await watch.Payload())!;
        Assert.Equal((true, "CLIENT_INITIATED_DISCONNECT"), ((bool)gone["clientInitiatedDisconnect"]!, (string?)gone["disconnectReason"]));
        Assert.Equal((long?)json["versionNumber"], (long?)gone["versionNumber"]);
    }

    [Fact]
    public async Task An_empty_client_id_is_given_one_or_refused()
    {
        await using var house = await BrokerHouse.Start();
        await using var named = await house.Connect("", c => c.Version = MqttVersion.V5);
        Assert.NotEmpty(named.Answer.Properties!.AssignedClientId!);
        await using var refused = await house.Connect("", c => (c.CleanStart, c.MayFail) = (false, true));
        Assert.Equal(2, refused.Answer.Code);
        await refused.Closed();
    }
}

/// <summary>Waits for what another thread does.</summary>
static class Eventually
{
    public static async Task True(Func<bool> condition)
    {
        for (var i = 0; i < 2000 && !condition(); i++)
            await Task.Delay(10);
        Assert.True(condition());
    }
}
