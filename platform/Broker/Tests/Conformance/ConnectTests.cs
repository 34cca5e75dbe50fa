using Althing.Broker;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using static Althing.Mqtt.MqttVersion;

namespace Althing.Tests.Broker.Conformance;

/// <summary>CONNECT and CONNACK (sections 3.1 and 3.2): their form, and who is refused.</summary>
public class ConnectTests
{
    const int Clean = 0x02, Will = 0x04, WillQoS1 = 0x08, WillQoS3 = 0x18, WillRetain = 0x20, Password = 0x40, User = 0x80;
    const int Let = Clean | User | Password;

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.1.0-1", "3.1.4-1")]
    [Normative(V5, "3.1.0-1", "3.14.0-1")]
    public async Task The_first_packet_is_connect(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        Assert.Null(await house.RefusedFirst([0xC0, 0], version));
        Assert.Null(await house.RefusedFirst(Bytes.Packet(0x30, b => b.String("t")), version));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.1.0-2", "4.8.0-1")]
    [Normative(V5, "3.1.0-2", "3.2.0-2", "4.13.1-1")]
    public async Task A_second_connect_ends_the_connection(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        var second = Bytes.Connect(version, Let, b =>
        {
            b.String("x");
            b.Secret();
        });
        Assert.Equal(version == V5 ? ReasonCode.ProtocolError : null, await house.Refused(second, version));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.1.2-1", "3.1.2-2")]
    [Normative(V5, "3.1.2-1", "3.1.2-2")]
    public async Task Other_protocols_and_levels_are_refused(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        Action<PacketBuffer> payload = b => b.String("x");
        Assert.Equal(1, await house.RefusedFirst(Bytes.Connect(version, Clean, payload, name: "MQTX"), version));
        Assert.Equal(1, await house.RefusedFirst(Bytes.Connect(version, Clean, payload, level: 3), version));
        Assert.Equal(1, await house.RefusedFirst(Bytes.Connect(version, Clean, payload, level: 6), version));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.1.2-3", "3.1.2-9", "3.1.2-11", "3.1.2-13", "3.1.2-14", "3.1.2-15", "3.1.2-18", "3.1.2-19", "3.1.2-20", "3.1.2-21", "3.1.2-22", "3.1.4-1")]
    [Normative(V5, "3.1.2-3", "3.1.2-9", "3.1.2-11", "3.1.2-12", "3.1.2-13", "3.1.2-16", "3.1.2-17", "3.1.2-18", "3.1.2-19", "3.1.4-1")]
    public async Task Flags_that_contradict_themselves_or_the_payload_are_malformed(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        // MQTT 3.1.1 is closed without a word, MQTT 5 is told.
        var code = version == V5 ? 0x81 : (int?)null;
        async Task Malformed(int flags, Action<PacketBuffer> fields) => Assert.Equal(code, await house.RefusedFirst(Bytes.Connect(version, flags, b =>
        {
            b.String("x");
            fields(b);
        }), version));
        await Malformed(Let | 1, b => b.Secret());
        await Malformed(Let | WillQoS1, b => b.Secret());
        await Malformed(Let | WillRetain, b => b.Secret());
        await Malformed(Let | Will | WillQoS3, b => b.Secret());
        await Malformed(Clean | Will, _ => { });
        await Malformed(Clean, b => b.Secret());
        await Malformed(Clean | User, b => b.Secret());
        await Malformed(Clean | User | Password, b => b.String("111111111111"));
        await Malformed(Clean | User, _ => { });
        if (version == V311)
            await Malformed(Clean | Password, b => b.String("secret"));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.1.3-4", "3.1.3-10", "3.1.3-11", "1.5.3-1", "1.5.3-2")]
    [Normative(V5, "3.1.3-4", "3.1.3-11", "3.1.3-12", "1.5.4-1", "1.5.4-2")]
    public async Task Texts_of_connect_are_utf8_without_null_and_surrogates(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        var code = version == V5 ? 0x81 : (int?)null;
        foreach (var wrong in new[] { Bytes.BrokenUtf8, Bytes.Surrogate, Bytes.Null })
        {
            Assert.Equal(code, await house.RefusedFirst(Bytes.Connect(version, Let, b =>
            {
                b.Raw(wrong);
                b.Secret();
            }), version));
            Assert.Equal(code, await house.RefusedFirst(Bytes.Connect(version, Let, b =>
            {
                b.String("x");
                b.Raw(wrong);
                b.Binary("secret"u8);
            }), version));
            Assert.Equal(code, await house.RefusedFirst(Bytes.Connect(version, Let | Will, b =>
            {
                b.String("x");
                if (version == V5)
                    b.Byte(0);
                b.Raw(wrong);
                b.Binary("will"u8);
                b.Secret();
            }), version));
        }
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.1.3-1", "3.1.3-3", "3.1.4-4", "3.2.0-1")]
    [Normative(V5, "3.1.3-1", "3.1.3-3", "3.1.4-5", "3.2.0-1", "3.2.2-1", "2.2.2-1")]
    public async Task The_fields_of_connect_stand_in_their_order_and_connack_answers_them(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        await using var watch = await house.Connect("watch");
        await watch.Subscribe("w");
        await using var client = await TestClient.Open(house.Port, version);
        await client.Raw(Bytes.Connect(version, Let | Will, b =>
        {
            b.String("in-order");
            if (version == V5)
                b.Byte(0);
            b.String("w");
            b.Binary("will"u8);
            b.Secret();
        }));
        var body = await client.Expect(PacketType.ConnAck);
        Assert.Equal((0, 0), (body[0], body[1]));
        Assert.Equal("in-order", Assert.Single(house.Broker.Connections(new("111111111111")), c => c.ClientId != "watch").ClientId);
        client.Break();
        Assert.Equal("will", await watch.Payload());
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.1.3-5")]
    [Normative(V5, "3.1.3-5")]
    public async Task Client_ids_of_letters_and_digits_are_allowed(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        const string All = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        foreach (var id in All.Chunk(23).Select(c => new string(c)).Append("a"))
        {
            await using var client = await house.Connect(id, c => c.Version = version);
            await client.Ping();
        }
    }

    [Fact]
    [Normative(V311, "3.1.3-6", "3.1.3-7", "3.1.3-8", "3.1.3-9", "3.2.2-4", "3.2.2-5")]
    [Normative(V5, "3.1.3-6", "3.1.3-7", "3.1.3-8", "3.2.2-16", "3.2.2-6", "3.2.2-7", "4.13.2-1")]
    public async Task An_empty_client_id_is_replaced_by_a_new_one_and_a_wrong_one_refused()
    {
        await using var house = await BrokerHouse.Start();
        await using var one = await house.Connect("", c => c.Version = V5);
        await using var two = await house.Connect("", c => c.Version = V5);
        await using var three = await house.Connect("");
        Assert.Equal(3, house.Broker.Connections(new("111111111111")).Select(c => c.ClientId).Distinct().Count());
        Assert.Contains(house.Broker.Connections(new("111111111111")), c => c.ClientId == one.Answer.Properties!.AssignedClientId);
        var tooLong = new string('x', 200);
        Assert.Equal(2, await house.RefusedFirst(Bytes.Connect(V311, User | Password, b =>
        {
            b.String("");
            b.Secret();
        }), V311));
        Assert.Equal(2, await house.RefusedFirst(Bytes.Connect(V311, Let, b =>
        {
            b.String(tooLong);
            b.Secret();
        }), V311));
        Assert.Equal(0x85, await house.RefusedFirst(Bytes.Connect(V5, Let, b =>
        {
            b.String(tooLong);
            b.Secret();
        }), V5));
    }

    [Theory, InlineData(V311), InlineData(V5)]
    [Normative(V311, "3.1.4-5")]
    [Normative(V5, "3.1.4-2", "3.1.4-6", "3.2.2-8")]
    public async Task What_follows_a_refused_connect_is_not_looked_at(MqttVersion version)
    {
        await using var house = await BrokerHouse.Start();
        await using var watch = await house.Connect("watch");
        await watch.Subscribe("#");
        var wrong = Bytes.Connect(version, Let, b =>
        {
            b.String("x");
            b.String("111111111111");
            b.Binary("guess"u8);
        });
        var publish = Bytes.Packet(0x30, b =>
        {
            b.String("t");
            if (version == V5)
                b.Byte(0);
        });
        Assert.Equal(version == V5 ? 0x86 : 4, await house.RefusedFirst([.. wrong, .. publish], version));
        await watch.Nothing();
    }

    [Fact]
    [Normative(V311, "3.2.2-6")]
    public async Task A_refusal_that_mqtt_3_has_no_code_for_is_a_close()
    {
        await using var house = await BrokerHouse.Start();
        Assert.Null(await house.RefusedFirst(Bytes.Connect(V311, Let | Will, b =>
        {
            b.String("x");
            b.String("$aws/events/mine");
            b.Binary([]);
            b.Secret();
        }), V311));
    }

    [Fact]
    [Normative(V5, "3.2.2-9", "3.2.2-10", "3.2.2-12")]
    public async Task Where_qos_2_is_not_served_connack_says_so()
    {
        await using var house = await BrokerHouse.Start(BrokerOptions.Strict);
        await using var client = await house.Connect("x", c => c.Version = V5);
        Assert.Equal((byte)1, client.Answer.Properties!.MaximumQoS);
        Assert.Equal([ReasonCode.Success, ReasonCode.GrantedQoS1, ReasonCode.GrantedQoS1], await client.Subscribe(new("a", 0), new("b", 1), new("c", 2)));
        await using var will = await house.Connect("y", c => (c.Version, c.MayFail, c.Will) = (V5, true, new("w", [], 2, false, null)));
        Assert.Equal(0x9B, will.Answer.Code);
        await will.Closed();
    }

    [Fact]
    [Normative(V5, "3.1.2-24", "3.2.2-19")]
    public async Task A_reason_string_that_a_client_cannot_take_is_left_out()
    {
        await using var house = await BrokerHouse.Start();
        var id = new string('x', 129);
        await using var told = await house.Connect(id, c => (c.Version, c.MayFail) = (V5, true));
        Assert.Contains("129", told.Answer.Properties!.ReasonString!, StringComparison.Ordinal);
        await using var small = await house.Connect(id, c => (c.Version, c.MayFail, c.Properties) = (V5, true, new() { MaximumPacketSize = 20 }));
        Assert.Equal((0x85, null), (small.Answer.Code, small.Answer.Properties?.ReasonString));
    }

    [Fact]
    [Normative(V5, "3.1.2-28")]
    public async Task Response_information_is_not_offered()
    {
        await using var house = await BrokerHouse.Start();
        await using var asked = await house.Connect("asked", c => (c.Version, c.Properties) = (V5, new() { RequestResponseInformation = true }));
        await using var not = await house.Connect("not", c => (c.Version, c.Properties) = (V5, new() { RequestResponseInformation = false }));
        Assert.Null(asked.Answer.Properties!.ResponseInformation);
        Assert.Null(not.Answer.Properties!.ResponseInformation);
    }

    [Theory, InlineData(true), InlineData(false)]
    [Normative(V5, "3.1.2-29", "3.4.2-1", "3.5.2-1", "3.9.3-2", "3.4.2-2", "3.5.2-2", "3.9.2-1")]
    public async Task Reason_strings_come_to_who_wants_them_and_can_take_them(bool wanted)
    {
        await using var house = await BrokerHouse.Start();
        house.Authority.Deny(DeviceAction.Publish, "no");
        house.Authority.Deny(DeviceAction.Subscribe, "no");
        await using var client = await house.Connect("x", c => (c.Version, c.Properties) = (V5, new() { RequestProblemInformation = wanted }));
        await client.Publish("no", "x", 1, id: 3);
        var ack = AcknowledgePacket.Read(await client.Expect(PacketType.PubAck), V5);
        await client.Publish("no", "x", 2, id: 4);
        var rec = AcknowledgePacket.Read(await client.Expect(PacketType.PubRec), V5);
        await client.Send(b => new SubscribePacket(5, [new("no", 0)], null).Write(b, V5));
        var sub = SubAckPacket.Read(await client.Expect(PacketType.SubAck), V5);
        Assert.Equal((ReasonCode.NotAuthorized, ReasonCode.NotAuthorized, ReasonCode.NotAuthorized), (ack.Reason, rec.Reason, sub.Reasons[0]));
        Assert.Equal((wanted, wanted, wanted), (ack.Why?.Contains("no", StringComparison.Ordinal) == true, rec.Why is not null, sub.Why is not null));
        await using var small = await house.Connect("small", c => (c.Version, c.Properties) = (V5, new() { MaximumPacketSize = 40 }));
        await small.Publish("no", "x", 1, id: 3);
        Assert.Null(AcknowledgePacket.Read(await small.Expect(PacketType.PubAck), V5).Why);
        await small.Send(b => new SubscribePacket(5, [new("no", 0)], null).Write(b, V5));
        Assert.Null(SubAckPacket.Read(await small.Expect(PacketType.SubAck), V5).Why);
    }

    [Theory]
    [InlineData(0, "Authentication method")]
    [InlineData(1, "Authentication data alone")]
    [InlineData(2, "A property of another packet")]
    [InlineData(3, "Receive maximum 0")]
    [InlineData(4, "Maximum packet size 0")]
    [InlineData(5, "A property twice")]
    [Normative(V5, "3.1.4-1", "3.1.4-2", "4.12.0-1", "4.12.0-4")]
    public async Task Connect_properties_that_cannot_be_are_refused(int which, string what)
    {
        await using var house = await BrokerHouse.Start();
        byte[][] properties =
        [
            [0x15, 0, 1, (byte)'m'],
            [0x16, 0, 1, 1],
            [0x23, 0, 1],
            [0x21, 0, 0],
            [0x27, 0, 0, 0, 0],
            [0x17, 1, 0x17, 1],
        ];
        int[] codes = [0x8C, 0x82, 0x81, 0x82, 0x82, 0x82];
        var code = await house.RefusedFirst(Bytes.Packet(0x10, b =>
        {
            b.String("MQTT");
            b.Byte(5);
            b.Byte(Let);
            b.UInt16(60);
            b.Byte((byte)properties[which].Length);
            b.Raw(properties[which]);
            b.String("x");
            b.Secret();
        }), V5);
        Assert.True(codes[which] == code, $"{what}: {code:X}");
    }
}
