using Althing.Broker;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using static Althing.Mqtt.MqttVersion;

namespace Althing.Tests.Broker.Conformance;

/// <summary>PUBLISH (section 3.3): flags, topics, retained messages and properties.</summary>
public class PublishTests
{
    static readonly BrokerOptions Everything = new() { RetainedOnWildcards = true };

    static byte[] Publish(MqttVersion version, int flags, Action<PacketBuffer> topic, ushort? id = null, byte[]? properties = null) => Bytes.Packet(0x30 | flags, b =>
    {
        topic(b);
        if (id is { } number)
            b.UInt16(number);
        if (version == V5)
        {
            b.Byte((byte)(properties?.Length ?? 0));
            b.Raw(properties ?? []);
        }
        b.Raw("x"u8);
    });

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.3.1-2", "3.3.1-4", "2.3.1-1", "3.3.2-1", "3.3.2-2", "4.7.1-1", "4.7.3-1", "4.7.3-2", "1.5.3-1", "1.5.3-2")]
    [Normative(V5, "3.3.1-2", "3.3.1-4", "2.2.1-3", "3.3.2-1", "3.3.2-2", "4.7.0-1", "4.7.3-1", "4.7.3-2", "1.5.4-1", "1.5.4-2", "4.13.1-1")]
    public async Task Publish_packets_that_cannot_be_end_the_connection(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        async Task Ends(ReasonCode reason, byte[] packet) => Assert.Equal(version == V5 ? reason : null, await house.Refused(packet, version));
        await Ends(ReasonCode.MalformedPacket, Publish(version, 0x06, b => b.String("t"), 1));
        await Ends(ReasonCode.MalformedPacket, Publish(version, 0x08, b => b.String("t")));
        await Ends(ReasonCode.ProtocolError, Publish(version, 0x02, b => b.String("t"), 0));
        await Ends(ReasonCode.ProtocolError, Publish(version, 0x04, b => b.String("t"), 0));
        await Ends(version == V5 ? ReasonCode.ProtocolError : ReasonCode.TopicNameInvalid, Publish(version, 0, b => b.String("")));
        await Ends(ReasonCode.TopicNameInvalid, Publish(version, 0, b => b.String("a/+/b")));
        await Ends(ReasonCode.TopicNameInvalid, Publish(version, 0, b => b.String("a/#")));
        foreach (var wrong in new[] { Bytes.BrokenUtf8, Bytes.Surrogate, Bytes.Null })
            await Ends(ReasonCode.MalformedPacket, Publish(version, 0, b => b.Raw(wrong)));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.3.4-1", "2.3.1-4", "2.3.1-5", "2.3.1-6", "4.3.1-1", "4.3.2-1", "4.3.2-2", "4.3.3-1", "4.3.3-2", "3.3.1-3")]
    [Normative(V5, "3.3.4-1", "2.2.1-2", "2.2.1-4", "2.2.1-5", "4.3.1-1", "4.3.2-1", "4.3.2-2", "4.3.2-3", "4.3.2-4", "4.3.2-5", "4.3.3-1", "4.3.3-2", "4.3.3-3", "4.3.3-4",
        "4.3.3-5", "4.3.3-8", "4.3.3-11", "4.3.3-12", "3.3.1-3", "3.6.2-1", "3.7.2-1")]
    public async Task Each_qos_has_its_answers_and_identifiers(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub", c => c.Version = version);
        await using var pub = await house.Connect("pub", c => c.Version = version);
        await sub.Subscribe("t", 2);
        await pub.Publish("t", "0");
        Assert.Equal((0, 0, false), await sub.Message() is var zero ? (zero.QoS, zero.PacketId, zero.Duplicate) : default);
        HashSet<ushort> used = [];
        for (var i = 0; i < 2; i++)
        {
            // The same identifier again is a new message once it is acknowledged, whatever its flag says.
            await pub.Raw(Publish(version, i == 0 ? 0x02 : 0x0A, b => b.String("t"), 77));
            await pub.ExpectAck(PacketType.PubAck, 77);
            var got = await sub.Message();
            Assert.Equal((1, false), (got.QoS, got.Duplicate));
            Assert.True(got.PacketId > 0 && used.Add(got.PacketId), "An identifier in flight was used again.");
        }
        for (var i = 0; i < 2; i++)
        {
            await pub.Raw(Publish(version, i == 0 ? 0x04 : 0x0C, b => b.String("t"), 78));
            await pub.ExpectAck(PacketType.PubRec, 78);
            await pub.SendAck(PacketType.PubRel, 78);
            await pub.ExpectAck(PacketType.PubComp, 78);
            var got = await sub.Message();
            Assert.Equal((2, false), (got.QoS, got.Duplicate));
            Assert.True(got.PacketId > 0 && used.Add(got.PacketId), "An identifier in flight was used again.");
            await sub.SendAck(PacketType.PubRec, got.PacketId);
            await sub.ExpectAck(PacketType.PubRel, got.PacketId);
        }
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V5, "4.3.3-10")]
    public async Task A_message_of_qos_2_sent_twice_is_delivered_once(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub");
        await using var pub = await house.Connect("pub", c => c.Version = version);
        await sub.Subscribe("t", 2);
        foreach (var flags in new[] { 0x04, 0x0C, 0x0C })
        {
            await pub.Raw(Publish(version, flags, b => b.String("t"), 5));
            await pub.ExpectAck(PacketType.PubRec, 5);
        }
        await pub.SendAck(PacketType.PubRel, 5);
        await pub.ExpectAck(PacketType.PubComp, 5);
        await sub.MessageOnce();
        await sub.Nothing();
    }

    [Fact]
    [Normative(V5, "4.3.3-9", "4.4.0-2", "4.8.2-6")]
    public async Task A_refusal_is_the_end_of_a_message()
    {
        await using var house = await BrokerHouse.Start();
        house.Authority.Deny(DeviceAction.Publish, "no");
        await using var pub = await house.Connect("pub", c => c.Version = V5);
        await pub.Publish("no", "x", 2, id: 4);
        Assert.Equal(ReasonCode.NotAuthorized, await pub.ExpectAck(PacketType.PubRec, 4));
        await pub.PublishOnce("yes", "y", id: 4);
        // Members of a group that refuse a message refuse it for the group.
        Action<TestConnect> with = c => (c.Version, c.CleanStart, c.Properties) = (V5, false, new() { SessionExpirySeconds = 60 });
        var one = await house.Connect("one", with);
        var two = await house.Connect("two", with);
        await one.Subscribe("$share/g/t", 2);
        await two.Subscribe("$share/g/t", 2);
        await pub.PublishOnce("t", "a");
        await pub.PublishOnce("t", "b");
        foreach (var member in new[] { one, two })
        {
            await member.SendAck(PacketType.PubRec, (await member.Message()).PacketId, ReasonCode.UnspecifiedError);
            await member.Nothing();
            member.Break();
        }
        await using var oneBack = await house.Connect("one", with);
        await using var twoBack = await house.Connect("two", with);
        await oneBack.Nothing();
        await twoBack.Nothing();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.3.1-5", "3.3.1-6", "3.3.1-7", "3.3.1-8", "3.3.1-9", "3.3.1-10", "3.3.1-11", "3.3.1-12")]
    [Normative(V5, "3.3.1-5", "3.3.1-6", "3.3.1-7", "3.3.1-8", "3.3.1-9", "3.8.4-4")]
    public async Task The_last_retained_message_of_a_topic_is_kept_until_an_empty_one(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start(Everything);
        await using var sub = await house.Connect("sub", c => c.Version = version);
        await using var old = await house.Connect("old", c => c.Version = version);
        await using var pub = await house.Connect("pub", c => c.Version = version);
        await old.Subscribe("a/b");
        await pub.PublishSurely("a/b", "1", retain: true);
        await pub.PublishSurely("a/b", "2", retain: true);
        await pub.PublishSurely("a/c", "3", retain: true);
        await pub.PublishSurely("a/b", "not kept");
        Assert.Equal(("1", false), await old.Message() is var established ? (established.Payload, established.Retain) : default);
        for (var i = 0; i < 2; i++)
        {
            await sub.Subscribe("a/+", 1);
            HashSet<(string, bool, int)> got = [];
            for (var m = 0; m < 2; m++)
                got.Add(await sub.Message() is var next ? (next.Payload, next.Retain, next.QoS) : default);
            Assert.Equal([("2", true, 1), ("3", true, 1)], got.Order());
        }
        await pub.Publish("a/b", "0", retain: true);
        await pub.PublishSurely("a/c", "", retain: true);
        await pub.Publish("a/c", "");
        await using var late = await house.Connect("late", c => c.Version = version);
        await late.Subscribe("a/+", 1);
        Assert.Equal(("0", 0), await late.Message() is var last ? (last.Payload, last.QoS) : default);
        await late.Nothing();
    }

    [Fact]
    [Normative(V5, "3.3.1-10", "3.3.1-11", "3.3.1-12", "3.3.1-13")]
    public async Task Subscriptions_say_how_retained_messages_come()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub", c => c.Version = V5);
        await using var pub = await house.Connect("pub");
        await pub.PublishSurely("t", "kept", retain: true);
        await sub.Subscribe(new SubscribeEntry("t", 0, RetainHandling: RetainHandling.DoNotSend));
        await sub.Nothing();
        await sub.Subscribe(new SubscribeEntry("t", 0, RetainHandling: RetainHandling.SendIfNew));
        await sub.Nothing();
        await sub.Unsubscribe("t");
        await sub.Subscribe(new SubscribeEntry("t", 0, RetainHandling: RetainHandling.SendIfNew));
        Assert.True((await sub.Message()).Retain);
        await pub.PublishSurely("t", "live", retain: true);
        Assert.False((await sub.Message()).Retain);
        await sub.Subscribe(new SubscribeEntry("t", 0, RetainAsPublished: true, RetainHandling: RetainHandling.DoNotSend));
        await pub.PublishSurely("t", "live", retain: true);
        Assert.True((await sub.Message()).Retain);
        await pub.PublishSurely("t", "live");
        Assert.False((await sub.Message()).Retain);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "1.5.3-3", "3.3.2-3", "4.7.3-4")]
    [Normative(V5, "1.5.4-3", "3.3.2-3", "4.7.3-4")]
    public async Task Topics_are_compared_and_passed_on_as_they_are(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub", c => c.Version = version);
        await using var pub = await house.Connect("pub", c => c.Version = version);
        string[] odd = ["\uFEFFbom", "bom", "/", "//", "a//b", "A", "a", "é", "e\u0301", " ", "ﬀ"];
        foreach (var topic in odd)
            await sub.Subscribe(topic, 1);
        foreach (var topic in odd)
        {
            await pub.Publish(topic, topic);
            Assert.Equal((topic, topic), await sub.Message() is var got ? (got.Topic, got.Payload) : default);
        }
        await sub.Nothing();
    }

    [Fact]
    [Normative(V5, "3.3.2-4", "3.3.2-15", "3.3.2-16", "3.3.2-17", "3.3.2-18", "3.3.2-20", "1.5.7-1")]
    public async Task Properties_are_passed_on_unaltered()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub", c => c.Version = V5);
        await using var pub = await house.Connect("pub", c => c.Version = V5);
        await sub.Subscribe("t", 1);
        KeyValuePair<string, string>[] user = [new("z", "1"), new("a", "2"), new("z", "1"), new("", "é")];
        foreach (var qos in new[] { 0, 1 })
        {
            await pub.Publish("t", "x", qos, properties: new()
            {
                PayloadIsUtf8 = true, ContentType = "text/ü", ResponseTopic = "back/$1", CorrelationData = [0, 255, 0], UserProperties = [.. user],
            });
            var got = (await sub.Message()).Properties!;
            Assert.Equal((true, "text/ü", "back/$1"), (got.PayloadIsUtf8, got.ContentType, got.ResponseTopic));
            Assert.Equal(new byte[] { 0, 255, 0 }, got.CorrelationData);
            Assert.Equal(user, got.UserProperties!);
        }
    }

    [Theory]
    [InlineData(ReasonCode.MalformedPacket, new byte[] { 0x08, 0, 3, 0xED, 0xA0, 0x80 })]
    [InlineData(ReasonCode.MalformedPacket, new byte[] { 0x03, 0, 1, 0 })]
    [InlineData(ReasonCode.MalformedPacket, new byte[] { 0x26, 0, 1, (byte)'k', 0, 1, 0 })]
    [InlineData(ReasonCode.MalformedPacket, new byte[] { 0x26, 0, 1, 0xFF, 0, 1, (byte)'v' })]
    [InlineData(ReasonCode.ProtocolError, new byte[] { 0x08, 0, 1, (byte)'#' })]
    [InlineData(ReasonCode.ProtocolError, new byte[] { 0x08, 0, 0 })]
    [InlineData(ReasonCode.ProtocolError, new byte[] { 0x0B, 1 })]
    [InlineData(ReasonCode.ProtocolError, new byte[] { 0x01, 2 })]
    [InlineData(ReasonCode.ProtocolError, new byte[] { 0x01, 1, 0x01, 1 })]
    [InlineData(ReasonCode.ProtocolError, new byte[] { 0x02, 0, 0, 0, 1, 0x02, 0, 0, 0, 1 })]
    [InlineData(ReasonCode.MalformedPacket, new byte[] { 0x11, 0, 0, 0, 1 })]
    [InlineData(ReasonCode.MalformedPacket, new byte[] { 0x7F, 1 })]
    [InlineData(ReasonCode.MalformedPacket, new byte[] { 0x81, 0x00, 1 })]
    [InlineData(ReasonCode.MalformedPacket, new byte[] { 0x02, 0, 0 })]
    [Normative(V5, "3.3.2-13", "3.3.2-14", "3.3.2-19", "3.3.4-6", "1.5.7-1", "1.5.5-1")]
    public async Task Properties_that_cannot_be_end_the_connection(ReasonCode reason, byte[] properties)
    {
        await using var house = await BrokerHouse.Start();
        Assert.Equal(reason, await house.Refused(Publish(V5, 0, b => b.String("t"), null, properties), V5));
    }

    [Fact]
    [Normative(V5, "3.3.2-5", "3.3.2-6", "4.3.3-7", "4.3.3-13")]
    public async Task Messages_expire_while_they_wait_and_not_after_they_were_sent()
    {
        await using var house = await BrokerHouse.Start();
        Action<TestConnect> with = c => (c.Version, c.CleanStart, c.KeepAlive, c.Properties) = (V5, false, 1200, new() { SessionExpirySeconds = 900 });
        await using var pub = await house.Connect("pub", c => (c.Version, c.KeepAlive) = (V5, 1200));
        await using (var sub = await house.Connect("sub", with))
        {
            await sub.Subscribe("t", 2);
            await pub.PublishOnce("t", "sent", properties: new() { MessageExpirySeconds = 60 });
            Assert.Equal(60u, (await sub.Message()).Properties!.MessageExpirySeconds);
            sub.Break();
        }
        await Eventually.True(() => house.Broker.ConnectionCount == 1);
        await pub.PublishOnce("t", "short", properties: new() { MessageExpirySeconds = 60 });
        await pub.PublishOnce("t", "long", properties: new() { MessageExpirySeconds = 600 });
        await pub.Publish("kept", "x", 0, retain: true, properties: new() { MessageExpirySeconds = 60 });
        await pub.Ping();
        house.Time.Advance(TimeSpan.FromSeconds(100));
        await using var back = await house.Connect("sub", with);
        // The first was sent, so it is delivered to the end.
        Assert.Equal("sent", (await back.MessageOnce()).Payload);
        var left = await back.MessageOnce();
        Assert.Equal(("long", 500u), (left.Payload, left.Properties!.MessageExpirySeconds!.Value));
        await back.Subscribe("kept");
        await back.Nothing();
        Assert.Empty(house.Broker.ListRetained(new("111111111111")));
    }

    [Fact]
    [Normative(V5, "3.3.2-7", "3.3.2-12", "3.3.2-8", "3.3.2-9")]
    public async Task Topic_aliases_from_a_client_hold_for_its_connection()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub");
        await sub.Subscribe("#");
        var pub = await house.Connect("pub", c => c.Version = V5);
        var most = pub.Answer.Properties!.TopicAliasMaximum!.Value;
        for (ushort alias = 1; alias <= most; alias++)
        {
            await pub.Publish("t/" + alias, "", properties: new() { TopicAlias = alias });
            Assert.Equal("t/" + alias, (await sub.Message()).Topic);
        }
        await pub.Publish("", "again", properties: new() { TopicAlias = most });
        Assert.Equal("t/" + most, (await sub.Message()).Topic);
        await pub.Publish("changed", "", properties: new() { TopicAlias = most });
        await pub.Publish("", "", properties: new() { TopicAlias = most });
        Assert.Equal(("changed", "changed"), ((await sub.Message()).Topic, (await sub.Message()).Topic));
        pub.Break();
        await using var back = await house.Connect("pub", c => c.Version = V5);
        await back.Publish("", "", properties: new() { TopicAlias = 1 });
        Assert.Equal(ReasonCode.ProtocolError, await back.Closed());
        foreach (var wrong in new ushort[] { 0, (ushort)(most + 1), ushort.MaxValue })
        {
            await using var other = await house.Connect("other", c => c.Version = V5);
            await other.Publish("t", "", properties: new() { TopicAlias = wrong });
            Assert.Equal(ReasonCode.TopicAliasInvalid, await other.Closed());
        }
    }

    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    [Normative(V5, "3.1.2-26", "3.1.2-27", "3.3.2-8", "3.3.2-11")]
    public async Task Topic_aliases_to_a_client_stay_within_what_it_takes(int qos)
    {
        await using var house = await BrokerHouse.Start();
        await using var none = await house.Connect("none", c => c.Version = V5);
        await using var two = await house.Connect("two", c => (c.Version, c.Properties) = (V5, new() { TopicAliasMaximum = 2 }));
        await using var pub = await house.Connect("pub");
        await none.Subscribe("t/+", qos);
        await two.Subscribe("t/+", qos);
        foreach (var topic in new[] { "t/a", "t/b", "t/c", "t/a", "t/b", "t/c" })
        {
            if (qos == 2)
                await pub.PublishOnce(topic, topic);
            else if (qos == 1)
                await pub.PublishSurely(topic, topic);
            else
                await pub.Publish(topic, topic);
        }
        for (var i = 0; i < 6; i++)
            Assert.Null((await none.Message()).Properties?.TopicAlias);
        List<(string, ushort?, string)> got = [];
        for (var i = 0; i < 6; i++)
            got.Add(await two.Message() is var m ? (m.Topic, m.Properties?.TopicAlias, m.Payload) : default);
        Assert.Equal([("t/a", (ushort)1, "t/a"), ("t/b", (ushort)2, "t/b"), ("t/c", null, "t/c"), ("", (ushort)1, "t/a"), ("", (ushort)2, "t/b"), ("t/c", null, "t/c")], got);
    }

    [Fact]
    [Normative(V311, "3.3.5-2")]
    public async Task A_publish_that_is_not_allowed_ends_a_connection_of_mqtt_3()
    {
        await using var house = await BrokerHouse.Start();
        house.Authority.Deny(DeviceAction.Publish, "no");
        await using var pub = await house.Connect("pub");
        await pub.Publish("no", "x", 1);
        await pub.Closed();
    }
}
