using Althing.Broker;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using static Althing.Mqtt.MqttVersion;

namespace Althing.Tests.Broker.Conformance;

/// <summary>Order and flow control (sections 3.3.4, 4.6 and 4.9).</summary>
public class FlowTests
{
    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "4.6.0-5", "4.6.0-6")]
    [Normative(V5, "4.6.0-5", "4.6.0-6")]
    public async Task Messages_of_one_client_and_qos_come_in_order(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start(new() { ReceiveMaximum = ushort.MaxValue });
        await using var sub = await house.Connect("sub", c => (c.Version, c.CleanStart) = (version, false));
        await using var pub = await house.Connect("pub", c => c.Version = version);
        await sub.Subscribe("#", 2);
        await pub.Send(b =>
        {
            for (ushort i = 1; i <= 300; i++)
                PublishPacket.Write(b, version, "t", System.Text.Encoding.UTF8.GetBytes(i.ToString(System.Globalization.CultureInfo.InvariantCulture)), i % 3, false, false, i, null);
        });
        var last = new int[3];
        for (var i = 0; i < 300; i++)
        {
            var got = await sub.Message();
            var number = int.Parse(got.Payload, System.Globalization.CultureInfo.InvariantCulture);
            Assert.True(number > last[got.QoS], $"{number} of QoS {got.QoS} came after {last[got.QoS]}.");
            last[got.QoS] = number;
            if (got.QoS == 1)
                await sub.Acknowledge(got.PacketId);
            if (got.QoS != 2)
                continue;
            await sub.SendAck(PacketType.PubRec, got.PacketId);
            await sub.ExpectAck(PacketType.PubRel, got.PacketId);
            await sub.SendAck(PacketType.PubComp, got.PacketId);
        }
    }

    [Fact]
    [Normative(V5, "3.3.4-9", "3.3.4-10", "4.9.0-1", "4.9.0-2", "4.9.0-3")]
    public async Task No_more_messages_are_in_flight_than_the_client_takes_and_all_else_goes_on()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub", c => (c.Version, c.Properties) = (V5, new() { ReceiveMaximum = 2 }));
        await using var pub = await house.Connect("pub");
        await sub.Subscribe("t", 2);
        await pub.PublishOnce("t", "1");
        await pub.PublishSurely("t", "2");
        await pub.PublishOnce("t", "3");
        await pub.Publish("t", "0");
        await pub.Ping();
        var (one, two) = (await sub.Message(), await sub.Message());
        Assert.Equal("0", await sub.Payload());
        await sub.Nothing();
        // PUBREC does not make room, PUBCOMP does.
        await sub.SendAck(PacketType.PubRec, one.PacketId);
        await sub.ExpectAck(PacketType.PubRel, one.PacketId);
        await sub.Nothing();
        await sub.Subscribe("other");
        await sub.SendAck(PacketType.PubComp, one.PacketId);
        Assert.Equal("3", await sub.Payload());
        await pub.PublishSurely("t", "4");
        await sub.Nothing();
        await sub.Acknowledge(two.PacketId);
        Assert.Equal("4", await sub.Payload());
    }

    [Fact]
    [Normative(V5, "3.3.4-7", "4.9.0-2")]
    public async Task A_client_that_has_too_much_in_flight_is_left()
    {
        await using var house = await BrokerHouse.Start(new() { ReceiveMaximum = 3 });
        await using var pub = await house.Connect("pub", c => c.Version = V5);
        Assert.Equal((ushort)3, pub.Answer.Properties!.ReceiveMaximum);
        for (ushort i = 1; i <= 3; i++)
        {
            await pub.Publish("t", "x", 2, id: i);
            await pub.ExpectAck(PacketType.PubRec, i);
        }
        await pub.SendAck(PacketType.PubRel, 1);
        await pub.ExpectAck(PacketType.PubComp, 1);
        await pub.Publish("t", "x", 2, id: 4);
        await pub.ExpectAck(PacketType.PubRec, 4);
        await pub.Publish("t", "x", 2, id: 5);
        Assert.Equal(ReasonCode.ReceiveMaximumExceeded, await pub.Closed());
    }

    [Fact]
    [Normative(V5, "3.1.2-24", "3.1.2-25")]
    public async Task A_message_too_large_for_a_client_counts_as_delivered()
    {
        await using var house = await BrokerHouse.Start();
        await using var sub = await house.Connect("sub", c => (c.Version, c.Properties) = (V5, new() { MaximumPacketSize = 60, TopicAliasMaximum = 5 }));
        await using var pub = await house.Connect("pub");
        await sub.Subscribe("t", 2);
        foreach (var payload in new[] { new string('x', 60), "fits" })
        {
            await pub.Publish("t", payload);
            await pub.PublishSurely("t", payload);
            await pub.PublishOnce("t", payload);
        }
        var zero = await sub.Message();
        Assert.Equal(("t", "fits"), (zero.Topic, zero.Payload));
        Assert.Equal("fits", await sub.Payload());
        Assert.Equal("fits", (await sub.MessageOnce()).Payload);
        await sub.Nothing();
    }

    [Fact]
    [Normative(V311, "4.8.0-2", "7.1.1-1")]
    [Normative(V5, "4.2.0-1")]
    public async Task What_one_client_does_wrong_harms_no_other()
    {
        await using var house = await BrokerHouse.Start();
        await using var one = await house.Connect("one");
        await using var two = await house.Connect("two");
        await one.Subscribe("t", 1);
        for (var i = 0; i < 20; i++)
            await house.Refused([0xF0, 0xFF, 0xFF, 0xFF, 0xFF], i % 2 == 0 ? V5 : V311);
        await two.PublishSurely("t", "x");
        Assert.Equal("x", await one.Payload());
    }
}
