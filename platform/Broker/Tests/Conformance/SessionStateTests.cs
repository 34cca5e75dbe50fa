using Althing.Mqtt;
using Althing.Mqtt.Packets;
using static Althing.Mqtt.MqttVersion;

namespace Althing.Tests.Broker.Conformance;

/// <summary>Sessions, wills and keep-alive (sections 3.1.2, 4.1, 4.4 and 4.5).</summary>
public class SessionStateTests
{
    /// <summary>Asks for a session that outlives its connection.</summary>
    static Action<TestConnect> Persistent(MqttVersion version) => c =>
    {
        (c.Version, c.CleanStart) = (version, false);
        if (version == V5)
            c.Properties = new() { SessionExpirySeconds = 600 };
    };

    static async Task Leave(TestClient client)
    {
        await client.Disconnect();
        await client.Closed();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.1.2-4", "3.1.2-5", "3.1.2-6", "3.1.3-2", "3.1.4-3", "3.2.2-1", "3.2.2-2", "3.2.2-3", "4.1.0-1", "4.1.0-2", "4.5.0-1")]
    [Normative(V5, "3.1.2-4", "3.1.2-5", "3.1.2-6", "3.1.2-23", "3.1.3-2", "3.1.4-4", "3.2.2-2", "3.2.2-3", "4.1.0-1", "4.5.0-1")]
    public async Task A_session_is_resumed_or_thrown_away_as_the_client_asks(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        await using var pub = await house.Connect("pub");
        await using (var first = await house.Connect("sub", Persistent(version)))
        {
            Assert.False(first.Answer.SessionPresent);
            await first.Subscribe(new SubscribeEntry("one", 1), new SubscribeEntry("two", 2));
            await Leave(first);
        }
        await pub.PublishSurely("one", "1");
        await pub.PublishOnce("two", "2");
        await using (var other = await house.Connect("other", Persistent(version)))
        {
            Assert.False(other.Answer.SessionPresent);
            await other.Nothing();
        }
        await using (var second = await house.Connect("sub", Persistent(version)))
        {
            Assert.True(second.Answer.SessionPresent);
            Assert.Equal("1", await second.Payload());
            Assert.Equal("2", (await second.MessageOnce()).Payload);
            await Leave(second);
        }
        await using (var clean = await house.Connect("sub", c => c.Version = version))
            Assert.False(clean.Answer.SessionPresent);
        await using var after = await house.Connect("sub", Persistent(version));
        Assert.False(after.Answer.SessionPresent);
        await pub.PublishSurely("one", "3");
        await after.Nothing();
    }

    [Fact]
    [Normative(V5, "4.1.0-2")]
    public async Task A_session_ends_when_its_interval_is_over()
    {
        await using var house = await BrokerHouse.Start();
        await using (var first = await house.Connect("sub", c => (c.Version, c.Properties) = (V5, new() { SessionExpirySeconds = 5 })))
            await Leave(first);
        await Eventually.True(() => house.Broker.ConnectionCount == 0);
        house.Time.Advance(TimeSpan.FromSeconds(7));
        await using var late = await house.Connect("sub", Persistent(V5));
        Assert.False(late.Answer.SessionPresent);
    }

    [Fact]
    [Normative(V5, "3.14.2-2")]
    public async Task Disconnect_may_change_the_interval_but_not_make_one()
    {
        await using var house = await BrokerHouse.Start();
        await using (var shorter = await house.Connect("a", Persistent(V5)))
        {
            await shorter.Send(b => new DisconnectPacket(ReasonCode.Success, new() { SessionExpirySeconds = 0 }).Write(b, V5));
            await shorter.Closed();
        }
        await using (var again = await house.Connect("a", Persistent(V5)))
            Assert.False(again.Answer.SessionPresent);
        await using var none = await house.Connect("b", c => c.Version = V5);
        await none.Send(b => new DisconnectPacket(ReasonCode.Success, new() { SessionExpirySeconds = 9 }).Write(b, V5));
        Assert.Equal(ReasonCode.ProtocolError, await none.Closed());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.1.2-7")]
    public async Task Retained_messages_are_no_part_of_the_session(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        await using (var pub = await house.Connect("pub", c => c.Version = version))
        {
            await pub.PublishSurely("kept", "x", retain: true);
            await Leave(pub);
        }
        await using var sub = await house.Connect("pub");
        await sub.Subscribe("kept");
        Assert.Equal("x", await sub.Payload());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.1.2-8", "3.1.2-10", "3.1.2-12", "3.1.2-16", "3.1.2-17", "3.14.4-3")]
    [Normative(V5, "3.1.2-7", "3.1.2-8", "3.1.2-10", "3.1.2-14", "3.1.2-15", "3.14.4-3")]
    public async Task A_will_is_published_once_unless_the_client_says_goodbye(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub", c => c.Version = V5);
        await sub.Subscribe(new SubscribeEntry("w/+", 1, RetainAsPublished: true));
        Action<TestConnect> With(string topic, bool retain) => c => (c.Version, c.Will) = (version, new(topic, "gone"u8.ToArray(), 1, retain, null));
        (await house.Connect("none", c => c.Version = version)).Break();
        await Leave(await house.Connect("polite", With("w/polite", false)));
        (await house.Connect("plain", With("w/plain", false))).Break();
        var plain = await sub.Message();
        (await house.Connect("kept", With("w/kept", true))).Break();
        var kept = await sub.Message();
        Assert.Equal(("w/plain", false, "w/kept", true), (plain.Topic, plain.Retain, kept.Topic, kept.Retain));
        await using (var again = await house.Connect("plain", c => c.Version = version))
            await Leave(again);
        await sub.Nothing();
        await using var late = await house.Connect("late");
        await late.Subscribe("w/plain");
        await late.Nothing();
        await late.Subscribe("w/kept");
        Assert.Equal("gone", await late.Payload());
    }

    [Fact]
    [Normative(V5, "3.1.3-9", "3.1.3-10")]
    public async Task A_delayed_will_waits_for_its_client_and_keeps_its_properties_in_order()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub", c => (c.Version, c.KeepAlive) = (V5, 1200));
        await sub.Subscribe("w");
        KeyValuePair<string, string>[] order = [new("b", "1"), new("a", "2"), new("b", "3")];
        Action<TestConnect> with = c => (c.Version, c.CleanStart, c.Properties, c.Will) = (V5, false, new() { SessionExpirySeconds = 600 },
            new("w", "late"u8.ToArray(), 0, false, new() { WillDelaySeconds = 20, UserProperties = [.. order] }));
        (await house.Connect("one", with)).Break();
        await Eventually.True(() => house.Broker.ConnectionCount == 1);
        house.Time.Advance(TimeSpan.FromSeconds(10));
        var back = await house.Connect("one", with);
        house.Time.Advance(TimeSpan.FromSeconds(15));
        await sub.Nothing();
        back.Break();
        await Eventually.True(() => house.Broker.ConnectionCount == 1);
        house.Time.Advance(TimeSpan.FromSeconds(21));
        Assert.Equal(order, (await sub.Message()).Properties!.UserProperties!);
    }

    [Fact]
    [Normative(V5, "3.1.2-8")]
    public async Task A_will_is_published_for_every_reason_of_disconnect_but_the_normal_one()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub");
        await sub.Subscribe("w");
        foreach (var reason in new[] { ReasonCode.DisconnectWithWill, ReasonCode.UnspecifiedError })
        {
            await using var one = await house.Connect("one", c => (c.Version, c.Will) = (V5, new("w", [1], 0, false, null)));
            await one.Disconnect(reason);
            await sub.Message();
        }
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.1.4-2")]
    [Normative(V5, "3.1.4-3")]
    public async Task A_new_connection_of_a_client_id_ends_the_old_one_and_its_will_is_published(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub");
        await sub.Subscribe("w");
        await using var first = await house.Connect("one", c => (c.Version, c.Will) = (version, new("w", "taken"u8.ToArray(), 0, false, null)));
        await using var second = await house.Connect("one", c => c.Version = version);
        Assert.Equal(version == V5 ? ReasonCode.SessionTakenOver : null, await first.Closed());
        Assert.Equal("taken", await sub.Payload());
        await second.Ping();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.1.2-24")]
    [Normative(V5, "3.1.2-22", "3.2.2-22")]
    public async Task A_client_that_is_silent_for_one_and_a_half_keep_alives_is_left(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        await using var one = await house.Connect("one", c => (c.Version, c.KeepAlive) = (version, 100));
        Assert.Null(one.Answer.Properties?.ServerKeepAliveSeconds);
        house.Time.Advance(TimeSpan.FromSeconds(149));
        await one.Ping();
        house.Time.Advance(TimeSpan.FromSeconds(100));
        // Bytes that make no packet do not count.
        await one.Raw(new byte[] { 0x30 });
        house.Time.Advance(TimeSpan.FromSeconds(52));
        Assert.Equal(version == V5 ? ReasonCode.KeepAliveTimeout : null, await one.Closed());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "4.4.0-1", "3.3.1-1", "4.6.0-1")]
    [Normative(V5, "4.4.0-1", "3.3.1-1", "4.3.3-6", "4.8.2-4")]
    public async Task What_is_not_acknowledged_comes_again_in_order_under_its_identifier_and_only_after_a_reconnect(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        await using var pub = await house.Connect("pub");
        var sub = await house.Connect("sub", Persistent(version));
        await sub.Subscribe("t", 2);
        await pub.PublishOnce("t", "released");
        await pub.PublishSurely("t", "one");
        await pub.PublishOnce("t", "two");
        var released = await sub.Message();
        await sub.SendAck(PacketType.PubRec, released.PacketId);
        await sub.ExpectAck(PacketType.PubRel, released.PacketId);
        var (one, two) = (await sub.Message(), await sub.Message());
        house.Time.Advance(TimeSpan.FromSeconds(50));
        await sub.Nothing();
        sub.Break();
        await using var back = await house.Connect("sub", Persistent(version));
        await back.ExpectAck(PacketType.PubRel, released.PacketId);
        Assert.Equal((one.PacketId, "one", true), await back.Message() is var a ? (a.PacketId, a.Payload, a.Duplicate) : default);
        Assert.Equal((two.PacketId, "two", true), await back.Message() is var b ? (b.PacketId, b.Payload, b.Duplicate) : default);
        await back.Nothing();
    }
}
