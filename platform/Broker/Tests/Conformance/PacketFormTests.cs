using Althing.Mqtt;
using Althing.Mqtt.Packets;
using static Althing.Mqtt.MqttVersion;

namespace Althing.Tests.Broker.Conformance;

/// <summary>The form of packets, PINGREQ, DISCONNECT and AUTH (sections 2, 3.4 to 3.7 and 3.12 to 3.15).</summary>
public class PacketFormTests
{
    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "2.2.2-1", "2.2.2-2", "3.6.1-1", "3.14.1-1", "4.8.0-1")]
    [Normative(V5, "2.1.3-1", "3.6.1-1", "3.14.1-1", "3.15.1-1", "4.13.1-1")]
    public async Task Reserved_flags_have_their_one_value(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        foreach (var type in new[] { PacketType.PubAck, PacketType.PubRec, PacketType.PubRel, PacketType.PubComp, PacketType.PingReq, PacketType.Disconnect, PacketType.Auth })
        {
            var right = type == PacketType.PubRel ? 2 : 0;
            for (var flags = 0; flags < 16; flags++)
            {
                if (flags == right)
                    continue;
                var packet = Bytes.Packet(((int)type << 4) | flags, b =>
                {
                    if (type < PacketType.PingReq)
                        b.UInt16(1);
                });
                Assert.Equal(version == V5 ? ReasonCode.MalformedPacket : null, await house.Refused(packet, version));
            }
        }
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "4.8.0-1")]
    [Normative(V5, "4.13.1-1", "4.12.0-6", "4.12.0-7")]
    public async Task Packets_that_only_servers_send_and_auth_end_the_connection(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        byte[][] packets =
        [
            [0x20, 2, 0, 0], [0x90, 3, 0, 1, 0], [0xB0, 2, 0, 1], [0xD0, 0], [0xF0, 0], [0x00, 0], [0xF0, 2, 0x19, 0],
        ];
        foreach (var packet in packets)
            Assert.Equal(version == V5 ? ReasonCode.ProtocolError : null, await house.Refused(packet, version));
        await using var client = await house.Connect("x", c => c.Version = version);
        Assert.Null(client.Answer.Properties?.AuthenticationMethod);
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V5, "1.5.5-1")]
    public async Task Lengths_that_cannot_be_end_the_connection_at_once(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        Assert.Equal(version == V5 ? ReasonCode.MalformedPacket : null, await house.Refused([0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], version));
        Assert.Equal(version == V5 ? ReasonCode.MalformedPacket : null, await house.Refused([0xC0, 0x80, 0x00], version));
        // 256 MB that are announced and never come.
        Assert.Equal(version == V5 ? ReasonCode.PacketTooLarge : null, await house.Refused([0x30, 0xFF, 0xFF, 0xFF, 0x7F], version));
        Assert.Equal(version == V5 ? ReasonCode.MalformedPacket : null, await house.Refused([0xC0, 1, 0], version));
        Assert.Equal(version == V5 ? ReasonCode.MalformedPacket : null, await house.Refused([0x40, 1, 0], version));
        Assert.Equal(version == V5 ? ReasonCode.ProtocolError : null, await house.Refused([0x40, 2, 0, 0], version));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.12.4-1")]
    [Normative(V5, "3.12.4-1")]
    public async Task Pingreq_is_answered(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        await using var client = await house.Connect("x", c => c.Version = version);
        await client.Ping();
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.14.4-1", "3.14.4-2")]
    [Normative(V5, "3.14.4-1", "3.14.4-2")]
    public async Task After_disconnect_nothing_is_taken_and_the_connection_closed(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        await using var watch = await house.Connect("watch");
        await watch.Subscribe("#");
        await using var client = await house.Connect("x", c => c.Version = version);
        await client.Raw((byte[])[0xE0, 0, .. Bytes.Packet(0x30, b =>
        {
            b.String("t");
            if (version == V5)
                b.Byte(0);
        })]);
        Assert.Null(await client.Closed());
        await watch.Nothing();
    }

    [Fact]
    [Normative(V5, "3.14.2-1", "3.14.2-3", "3.14.4-1", "3.14.4-2", "3.1.2-24", "4.13.2-1")]
    public async Task The_broker_says_why_it_goes_as_far_as_the_client_can_take_it()
    {
        await using var house = await BrokerHouse.Start();
        foreach (var (most, told) in new (uint?, bool?)[] { (null, true), (25u, false), (3u, null) })
        {
            await using var client = await house.Connect("x", c => (c.Version, c.MayFail, c.Properties) = (V5, true, new() { MaximumPacketSize = most is 3 ? 40 : most is 25 ? 40 : null }));
            await client.Raw(Bytes.Packet(0x30, b =>
            {
                b.String("a/+/topic/with/a/wildcard");
                b.Byte(0);
            }));
            var body = await client.Expect(PacketType.Disconnect);
            var said = DisconnectPacket.Read(body, V5);
            Assert.Equal(ReasonCode.TopicNameInvalid, said.Reason);
            Assert.Null(said.Properties?.SessionExpirySeconds);
            Assert.Equal(told == true, said.Properties?.ReasonString is not null);
            Assert.Null(await client.Closed());
        }
    }

    [Fact]
    [Normative(V5, "3.4.2-1", "3.5.2-1", "3.6.2-1", "3.7.2-1", "3.14.2-1", "4.13.1-1")]
    public async Task Reason_codes_of_other_packets_end_the_connection()
    {
        await using var house = await BrokerHouse.Start();
        foreach (var packet in new byte[][] { [0x40, 3, 0, 1, 0x8D], [0x50, 3, 0, 1, 0x01], [0x62, 3, 0, 1, 0x80], [0x70, 3, 0, 1, 0x10], [0xE0, 1, 0x01], [0xE0, 1, 0x7B] })
            Assert.Equal(ReasonCode.ProtocolError, await house.Refused(packet, V5));
    }

    [Fact]
    [Normative(V5, "2.2.2-1")]
    public async Task Acknowledgements_may_leave_reason_and_properties_out()
    {
        await using var house = await BrokerHouse.Start();
        await using var client = await house.Connect("x", c => c.Version = V5);
        foreach (var packet in new byte[][] { [0x40, 2, 0, 1], [0x40, 3, 0, 1, 0], [0x40, 4, 0, 1, 0, 0], [0x40, 8, 0, 1, 0, 4, 0x1F, 0, 1, (byte)'x'] })
            await client.Raw(packet);
        await client.Ping();
    }
}
