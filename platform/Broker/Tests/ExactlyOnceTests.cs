using Althing.Broker;
using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Tests.Broker;

/// <summary>QoS 2 in both directions, over broken connections and crashes.</summary>
public class ExactlyOnceTests
{
    static void Persistent(TestConnect c) => c.CleanStart = false;

    [Theory, MemberData(nameof(DeliveryTests.Versions), MemberType = typeof(DeliveryTests))]
    public async Task A_message_of_qos_2_takes_four_packets_on_each_side(MqttVersion from, MqttVersion to)
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub", c => c.Version = to);
        await using var pub = await house.Connect("pub", c => c.Version = from);
        Assert.Equal([ReasonCode.GrantedQoS2], await sub.Subscribe("t", 2));
        await pub.PublishOnce("t", "once");
        Assert.Equal("once", (await sub.MessageOnce()).Payload);
        await sub.Nothing();
    }

    [Fact]
    public async Task The_lower_qos_of_message_and_subscription_holds()
    {
        await using var house = await BrokerHouse.Start();
        await using var zero = await house.Connect("zero");
        await using var one = await house.Connect("one");
        await using var two = await house.Connect("two");
        await using var pub = await house.Connect("pub");
        await zero.Subscribe("t", 0);
        await one.Subscribe("t", 1);
        await two.Subscribe("t", 2);
        await pub.PublishOnce("t", "2");
        await pub.PublishSurely("t", "1");
        Assert.Equal((0, 1, 2), ((await zero.Message()).QoS, (await one.Message()).QoS, (await two.MessageOnce()).QoS));
        Assert.Equal((0, 1, 1), ((await zero.Message()).QoS, (await one.Message()).QoS, (await two.Message()).QoS));
    }

    [Fact]
    public async Task A_message_sent_again_before_its_release_is_delivered_once()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub");
        await sub.Subscribe("t", 2);
        var pub = await house.Connect("pub", Persistent);
        await pub.Publish("t", "once", 2, id: 7);
        await pub.ExpectAck(PacketType.PubRec, 7);
        pub.Break();
        await house.Crash();
        await using var back = await house.Connect("pub", Persistent);
        await using var subscriber = await house.Connect("sub");
        await subscriber.Subscribe("t", 2);
        await back.Send(b => PublishPacket.Write(b, MqttVersion.V311, "t", "once"u8, 2, false, duplicate: true, 7, null));
        await back.ExpectAck(PacketType.PubRec, 7);
        await back.SendAck(PacketType.PubRel, 7);
        await back.ExpectAck(PacketType.PubComp, 7);
        await subscriber.Nothing();
        // Released, the identifier stands for a new message, after another crash as well.
        await house.Crash();
        await using var again = await house.Connect("pub", Persistent);
        await using var third = await house.Connect("sub");
        await third.Subscribe("t", 2);
        await again.PublishOnce("t", "new", id: 7);
        Assert.Equal("new", (await third.MessageOnce()).Payload);
    }

    [Fact]
    public async Task A_subscriber_gets_a_message_once_whatever_step_a_crash_hits()
    {
        await using var house = await BrokerHouse.Start();
        await using (var sub = await house.Connect("sub", Persistent))
        {
            await sub.Subscribe("t", 2);
            await using var pub = await house.Connect("pub");
            for (ushort i = 1; i <= 3; i++)
                await pub.PublishOnce("t", i.ToString(), id: i);
            Assert.Equal("1", (await sub.MessageOnce()).Payload);
            await sub.Ping();
            var second = await sub.Message();
            await sub.SendAck(PacketType.PubRec, second.PacketId);
            await sub.ExpectAck(PacketType.PubRel, second.PacketId);
        }
        await house.Crash();
        await using var back = await house.Connect("sub", Persistent);
        Assert.True(back.Answer.SessionPresent);
        // The first is done with, of the second only the release is missing, the third comes under its old identifier.
        await back.ExpectAck(PacketType.PubRel, 2);
        await back.SendAck(PacketType.PubComp, 2);
        var third = await back.MessageOnce();
        Assert.Equal(("3", 3, true), (third.Payload, third.PacketId, third.Duplicate));
        await back.Nothing();
        await house.Crash();
        await using var last = await house.Connect("sub", Persistent);
        await last.Nothing();
    }

    [Fact]
    public async Task Unknown_identifiers_are_answered_and_harm_nobody()
    {
        await using var house = await BrokerHouse.Start();
        await using var five = await house.Connect("five", c => c.Version = MqttVersion.V5);
        await five.SendAck(PacketType.PubRel, 99);
        Assert.Equal(ReasonCode.PacketIdentifierNotFound, await five.ExpectAck(PacketType.PubComp, 99));
        await five.SendAck(PacketType.PubRec, 98);
        Assert.Equal(ReasonCode.PacketIdentifierNotFound, await five.ExpectAck(PacketType.PubRel, 98));
        await five.SendAck(PacketType.PubComp, 97);
        await five.SendAck(PacketType.PubAck, 96);
        await five.Ping();
    }

    [Fact]
    public async Task Acknowledgements_of_the_wrong_kind_end_the_connection()
    {
        await using var house = await BrokerHouse.Start();
        await using var pub = await house.Connect("pub");
        foreach (var wrong in new[] { PacketType.PubAck, PacketType.PubComp })
        {
            await using var sub = await house.Connect("sub", c => c.Version = MqttVersion.V5);
            await sub.Subscribe("t", 2);
            await pub.PublishOnce("t", "x");
            await sub.SendAck(wrong, (await sub.Message()).PacketId);
            Assert.Equal(ReasonCode.ProtocolError, await sub.Closed());
        }
    }

    [Fact]
    public async Task A_refused_message_is_not_sent_again()
    {
        await using var house = await BrokerHouse.Start();
        await using var pub = await house.Connect("pub");
        Action<TestConnect> with = c => (c.Version, c.CleanStart, c.Properties) = (MqttVersion.V5, false, new() { SessionExpirySeconds = 100 });
        var sub = await house.Connect("sub", with);
        await sub.Subscribe("t", 2);
        await pub.PublishOnce("t", "x");
        await sub.SendAck(PacketType.PubRec, (await sub.Message()).PacketId, ReasonCode.UnspecifiedError);
        await sub.Nothing();
        sub.Break();
        await using var back = await house.Connect("sub", with);
        await back.Nothing();
    }

    [Fact]
    public async Task A_will_and_a_retained_message_may_have_qos_2()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub", Persistent);
        await sub.Subscribe("wills/+", 2);
        (await house.Connect("one", c => c.Will = new("wills/one", "gone"u8.ToArray(), 2, true, null))).Break();
        Assert.Equal("gone", (await sub.MessageOnce()).Payload);
        await sub.Subscribe("wills/one", 2);
        var kept = await sub.MessageOnce();
        Assert.Equal(("gone", true), (kept.Payload, kept.Retain));
    }

    [Fact]
    public async Task Qos_2_is_refused_where_the_strict_limits_hold()
    {
        await using var house = await BrokerHouse.Start(BrokerOptions.Strict);
        await using var two = await house.Connect("two", c => c.Version = MqttVersion.V5);
        Assert.Equal((byte)1, two.Answer.Properties!.MaximumQoS);
        Assert.Equal([ReasonCode.GrantedQoS1], await two.Subscribe("t", 2));
        await two.Publish("t", "x", qos: 2);
        Assert.Equal(ReasonCode.QoSNotSupported, await two.Closed());
        await using var will = await house.Connect("will", c => (c.Version, c.MayFail, c.Will) = (MqttVersion.V5, true, new("w", [], 2, false, null)));
        Assert.Equal(0x9B, will.Answer.Code);
    }
}
