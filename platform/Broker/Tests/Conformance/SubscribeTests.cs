using Althing.Broker;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using static Althing.Mqtt.MqttVersion;

namespace Althing.Tests.Broker.Conformance;

/// <summary>SUBSCRIBE, UNSUBSCRIBE, topic filters and shared subscriptions (sections 3.8 to 3.11, 4.7 and 4.8).</summary>
public class SubscribeTests
{
    static byte[] Subscribe(MqttVersion version, ushort id, Action<PacketBuffer> entries, int first = 0x82, byte[]? properties = null) => Bytes.Packet(first, b =>
    {
        b.UInt16(id);
        if (version == V5)
        {
            b.Byte((byte)(properties?.Length ?? 0));
            b.Raw(properties ?? []);
        }
        entries(b);
    });

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.8.1-1", "3.8.3-1", "3.8.3-3", "3.8.3-4", "3.10.1-1", "3.10.3-1", "3.10.3-2", "2.3.1-1")]
    [Normative(V5, "3.8.1-1", "3.8.3-1", "3.8.3-2", "3.8.3-4", "3.8.3-5", "3.10.1-1", "3.10.3-1", "3.10.3-2", "2.2.1-3")]
    public async Task Packets_that_cannot_be_end_the_connection(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        async Task Ends(ReasonCode reason, byte[] packet) => Assert.Equal(version == V5 ? reason : null, await house.Refused(packet, version));
        Action<PacketBuffer> Entry(string filter, byte options) => b =>
        {
            b.String(filter);
            b.Byte(options);
        };
        foreach (var flags in new[] { 0, 1, 3, 0xF })
        {
            await Ends(ReasonCode.MalformedPacket, Subscribe(version, 1, Entry("t", 0), 0x80 | flags));
            await Ends(ReasonCode.MalformedPacket, Subscribe(version, 1, b => b.String("t"), 0xA0 | flags));
        }
        await Ends(ReasonCode.ProtocolError, Subscribe(version, 1, _ => { }));
        await Ends(ReasonCode.ProtocolError, Subscribe(version, 1, _ => { }, 0xA2));
        await Ends(ReasonCode.ProtocolError, Subscribe(version, 0, Entry("t", 0)));
        await Ends(ReasonCode.ProtocolError, Subscribe(version, 0, b => b.String("t"), 0xA2));
        await Ends(ReasonCode.MalformedPacket, Subscribe(version, 1, Entry("t", 3)));
        await Ends(ReasonCode.MalformedPacket, Subscribe(version, 1, Entry("t", 0x40)));
        await Ends(ReasonCode.MalformedPacket, Subscribe(version, 1, Entry("t", 0x30)));
        await Ends(ReasonCode.MalformedPacket, Subscribe(version, 1, b => b.String("t")));
        foreach (var wrong in new[] { Bytes.BrokenUtf8, Bytes.Surrogate, Bytes.Null })
        {
            await Ends(ReasonCode.MalformedPacket, Subscribe(version, 1, b =>
            {
                b.Raw(wrong);
                b.Byte(0);
            }));
            await Ends(ReasonCode.MalformedPacket, Subscribe(version, 1, b => b.Raw(wrong), 0xA2));
        }
        if (version == V311)
        {
            await Ends(ReasonCode.MalformedPacket, Subscribe(version, 1, Entry("t", 4)));
            return;
        }
        await Ends(ReasonCode.ProtocolError, Subscribe(V5, 1, Entry("$share/g/t", 4)));
        await Ends(ReasonCode.ProtocolError, Subscribe(V5, 1, Entry("t", 0), properties: [0x0B, 0]));
        await Ends(ReasonCode.ProtocolError, Subscribe(V5, 1, Entry("t", 0), properties: [0x0B, 1, 0x0B, 2]));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.8.4-1", "3.8.4-2", "3.8.4-4", "3.8.4-5", "3.8.4-6", "3.9.3-1", "3.9.3-2", "2.3.1-7", "3.8.3-2", "3.10.4-4", "3.10.4-5", "3.10.4-6")]
    [Normative(V5, "3.8.4-1", "3.8.4-2", "3.8.4-5", "3.8.4-6", "3.8.4-7", "3.8.4-8", "3.9.3-1", "3.9.3-2", "2.2.1-6", "3.10.4-4", "3.10.4-5", "3.10.4-6", "3.11.3-1", "3.11.3-2")]
    public async Task Each_filter_has_its_answer_in_order(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        house.Authority.Deny(DeviceAction.Subscribe, "no");
        await using var sub = await house.Connect("sub", c => c.Version = version);
        await sub.Send(b => new SubscribePacket(4711, [new("a/+", 2), new("no", 2), new("b", 1), new("a#", 0), new("c", 0)], null).Write(b, version));
        var granted = SubAckPacket.Read(await sub.Expect(PacketType.SubAck), version);
        var (refused, invalid) = version == V5 ? (ReasonCode.NotAuthorized, ReasonCode.TopicFilterInvalid) : (ReasonCode.UnspecifiedError, ReasonCode.UnspecifiedError);
        Assert.Equal(4711, granted.PacketId);
        Assert.Equal([ReasonCode.GrantedQoS2, refused, ReasonCode.GrantedQoS1, invalid, ReasonCode.Success], granted.Reasons);
        await using var pub = await house.Connect("pub");
        foreach (var topic in new[] { "a/x", "no", "b", "c" })
            await pub.PublishOnce(topic, topic);
        Assert.Equal([("a/x", 2), ("b", 1), ("c", 0)], [await Next(sub), await Next(sub), await Next(sub)]);
        await sub.Nothing();
        await sub.Send(b => new UnsubscribePacket(4712, ["b", "never", "c"]).Write(b, version));
        var body = await sub.Expect(PacketType.UnsubAck);
        if (version == V5)
        {
            var gone = SubAckPacket.Read(body, V5);
            Assert.Equal(4712, gone.PacketId);
            Assert.Equal([ReasonCode.Success, ReasonCode.NoSubscriptionExisted, ReasonCode.Success], gone.Reasons);
        }
        else
            Assert.Equal(new byte[] { 4712 >> 8, 4712 & 0xFF }, body);
        await pub.PublishOnce("b", "x");
        await sub.Nothing();
    }

    static async Task<(string, int)> Next(TestClient client) => await client.Message() is var got ? (got.Topic, got.QoS) : default;

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.8.4-3")]
    [Normative(V5, "3.8.4-3", "3.8.4-4")]
    public async Task A_subscription_replaces_the_one_of_the_same_filter_and_loses_nothing(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub", c => c.Version = version);
        await using var pub = await house.Connect("pub");
        await pub.PublishSurely("t", "kept", retain: true);
        await sub.Subscribe("t", 0);
        Assert.Equal("kept", await sub.Payload());
        var flood = Task.Run(async () =>
        {
            for (ushort i = 1; i <= 300; i++)
                await pub.PublishSurely("t", i.ToString(), id: i);
        });
        for (var i = 0; i < 20; i++)
            await sub.Subscribe(new SubscribeEntry("t", 1, RetainHandling: version == V5 ? RetainHandling.DoNotSend : RetainHandling.Send));
        HashSet<string> got = [];
        while (got.Count < 300)
        {
            var next = await sub.Message();
            if (!next.Retain)
                Assert.True(got.Add(next.Payload), $"{next.Payload} came twice.");
            if (next.QoS == 1)
                await sub.Acknowledge(next.PacketId);
        }
        await flood;
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.10.4-1", "3.10.4-2", "3.10.4-3")]
    [Normative(V5, "3.10.4-1", "3.10.4-2", "3.10.4-3")]
    public async Task Unsubscribing_stops_new_messages_and_ends_those_begun(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        await using var pub = await house.Connect("pub");
        Action<TestConnect> with = c => (c.Version, c.CleanStart, c.Properties) = (version, false, version == V5 ? new() { SessionExpirySeconds = 60 } : null);
        var sub = await house.Connect("sub", with);
        await sub.Subscribe(new SubscribeEntry("T", 2), new SubscribeEntry("t/+", 2));
        await pub.PublishOnce("t/1", "begun");
        var begun = await sub.Message();
        await sub.Unsubscribe("t", "t/1", "t/+");
        await pub.PublishOnce("t/1", "late");
        await sub.Nothing();
        sub.Break();
        await using var back = await house.Connect("sub", with);
        Assert.Equal((begun.PacketId, "begun"), await back.MessageOnce() is var end ? (end.PacketId, end.Payload) : default);
        await pub.PublishOnce("T", "still");
        Assert.Equal("still", (await back.MessageOnce()).Payload);
        await back.Nothing();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "4.7.1-2", "4.7.1-3", "4.7.2-1", "4.7.3-1", "4.7.3-3", "3.8.3-2")]
    [Normative(V5, "4.7.1-1", "4.7.1-2", "4.7.2-1", "4.7.3-1", "4.7.3-3", "4.8.2-1", "4.8.2-2")]
    public async Task Wildcards_stand_alone_and_leave_reserved_topics_alone(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start(new() { TopicBytesMax = ushort.MaxValue, SubscriptionsMax = 100 });
        await using var sub = await house.Connect("sub", c => c.Version = version);
        foreach (var valid in new[] { "#", "+", "/", "a/#", "+/+", "/+", "+/b/#", "$share/g/#", "$aws/#" })
            Assert.Equal([ReasonCode.Success], await sub.Subscribe(valid));
        var invalid = version == V5 ? ReasonCode.TopicFilterInvalid : ReasonCode.UnspecifiedError;
        foreach (var wrong in new[] { "", "a#", "#/a", "a/#/b", "a+", "+a/b", "a/+b", "$share//t", "$share/g", "$share/g/", "$share/+/t", "$share/#/t" })
            Assert.Equal([invalid], await sub.Subscribe(wrong));
        Assert.Equal([ReasonCode.Success], await sub.Subscribe(new string('x', 65_535)));
        await using var wide = await house.Connect("wide", c => c.Version = version);
        await wide.Subscribe("#");
        await wide.Subscribe("+/events/#");
        await house.Broker.Publish(new("111111111111"), new("$aws/events/x", "hidden"u8.ToArray()), default);
        await wide.Nothing();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.3.5-1")]
    [Normative(V5, "3.3.4-2", "3.3.4-3", "3.3.4-4")]
    public async Task Overlapping_subscriptions_bring_one_message_with_the_most_they_ask(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub", c => c.Version = version);
        await using var pub = await house.Connect("pub");
        foreach (var (filter, qos, id) in new[] { ("t/#", 0, 1), ("t/+", 2, 2), ("t/1", 1, 268_435_455) })
        {
            await sub.Send(b => new SubscribePacket(1, [new(filter, qos)], version == V5 ? new() { SubscriptionIdentifiers = [id] } : null).Write(b, version));
            await sub.Expect(PacketType.SubAck);
        }
        await pub.PublishOnce("t/1", "x");
        var got = await sub.MessageOnce();
        if (version == V5)
            Assert.Equal([1, 2, 268_435_455], got.Properties!.SubscriptionIdentifiers!.Order());
        await sub.Nothing();
        await pub.Publish("t/1", "x");
        if (version == V5)
            Assert.Equal([1, 2, 268_435_455], (await sub.Message()).Properties!.SubscriptionIdentifiers!.Order());
    }

    [Fact]
    [Normative(V5, "3.8.3-3")]
    public async Task No_local_concerns_the_client_id()
    {
        await using var house = await BrokerHouse.Start();
        await using var one = await house.Connect("one", c => (c.Version, c.Properties) = (V5, new() { SessionExpirySeconds = 60 }));
        await using var two = await house.Connect("two", c => c.Version = V5);
        await one.Subscribe(new SubscribeEntry("t", 2, NoLocal: true));
        await one.Publish("t", "own 0");
        await one.PublishSurely("t", "own 1");
        await one.PublishOnce("t", "own 2");
        await one.Nothing();
        await two.PublishOnce("t", "other");
        Assert.Equal("other", (await one.MessageOnce()).Payload);
    }

    [Fact]
    [Normative(V5, "4.8.2-3")]
    public async Task A_member_of_a_shared_subscription_gets_the_qos_it_was_granted()
    {
        await using var house = await BrokerHouse.Start();
        await using var low = await house.Connect("low", c => c.Version = V5);
        await using var high = await house.Connect("high", c => c.Version = V5);
        await using var pub = await house.Connect("pub");
        await low.Subscribe("$share/g/t", 0);
        await high.Subscribe("$share/g/t", 2);
        for (var i = 0; i < 4; i++)
            await pub.PublishOnce("t", "x");
        Assert.Equal((0, 0), ((await low.Message()).QoS, (await low.Message()).QoS));
        Assert.Equal((2, 2), ((await high.MessageOnce()).QoS, (await high.MessageOnce()).QoS));
    }

    [Fact]
    [Normative(V5, "4.8.2-4", "4.8.2-5")]
    public async Task What_a_member_leaves_goes_to_others_but_for_qos_2_that_was_sent()
    {
        await using var house = await BrokerHouse.Start();
        Action<TestConnect> with = c => (c.Version, c.CleanStart, c.Properties) = (V5, false, new() { SessionExpirySeconds = 60, ReceiveMaximum = 2 });
        var first = await house.Connect("first", with);
        await first.Subscribe("$share/g/t", 2);
        await using var pub = await house.Connect("pub", c => c.KeepAlive = 1200);
        await pub.PublishOnce("t", "sent 2");
        await pub.PublishSurely("t", "sent 1");
        await pub.PublishOnce("t", "waits 2");
        await pub.PublishSurely("t", "waits 1");
        Assert.Equal(("sent 2", "sent 1"), ((await first.Message()).Payload, (await first.Message()).Payload));
        await using var second = await house.Connect("second", c => (c.Version, c.KeepAlive) = (V5, 1200));
        await second.Subscribe("$share/g/t", 2);
        first.Break();
        // What was not sent goes at once, what may have arrived when the session ends, QoS 2 never.
        HashSet<string> got = [await second.Payload(), await second.Payload()];
        Assert.Equal(["waits 1", "waits 2"], got.Order());
        await second.Nothing();
        house.Time.Advance(TimeSpan.FromSeconds(62));
        Assert.Equal("sent 1", await second.Payload());
        await second.Nothing();
    }
}
