using Althing.Mqtt;
using Althing.Mqtt.Packets;
using CsCheck;

namespace Althing.Tests.Mqtt;

public class CodecTests
{
    static readonly Gen<string> Text = Gen.String[Gen.Char.AlphaNumeric, 0, 20];
    static readonly Gen<MqttVersion> Version = Gen.Bool.Select(v5 => v5 ? MqttVersion.V5 : MqttVersion.V311);
    static readonly Gen<byte[]> Payload = Gen.Byte.Array[0, 400];

    [Fact]
    public void Publish_is_read_as_it_was_written() =>
        Gen.Select(Version, Text.Where(t => t.Length > 0), Payload, Gen.Int[0, 1], Gen.Bool, Gen.Select(Gen.UShort[1, ushort.MaxValue], Gen.Bool)).Sample((version, topic, payload, qos, retain, rest) =>
        {
            var (id, duplicate) = rest;
            using var buffer = new PacketBuffer(16);
            var at = PublishPacket.Write(buffer, version, topic, payload, qos, retain, duplicate && qos > 0, id, null);
            if (qos > 0)
                buffer.PatchUInt16(at, id);
            var packet = PublishPacket.Read(Whole(buffer), version);
            Assert.Equal(topic, System.Text.Encoding.UTF8.GetString(packet.Topic));
            Assert.Equal(payload, packet.Payload.ToArray());
            Assert.Equal((qos, retain, duplicate && qos > 0, qos > 0 ? id : 0), (packet.QoS, packet.Retain, packet.Duplicate, (int)packet.PacketId));
        });

    [Fact]
    public void Connect_is_read_as_it_was_written() => Gen.Select(Version, Text, Gen.UShort, Gen.Bool, Text, Payload, Gen.Bool).Sample((version, id, keepAlive, clean, user, password, withWill) =>
    {
        var connect = new ConnectPacket
        {
            Version = version, ClientId = id, KeepAliveSeconds = keepAlive, CleanStart = clean, UserName = user, Password = password,
            Will = withWill ? new("w/" + id, password, 1, clean, version == MqttVersion.V5 ? new() { WillDelaySeconds = 5 } : null) : null,
            Properties = version == MqttVersion.V5 ? new() { SessionExpirySeconds = 9, UserProperties = [new(id, user)] } : null,
        };
        using var buffer = new PacketBuffer();
        connect.Write(buffer);
        var read = ConnectPacket.Read(Whole(buffer).Body);
        Assert.Equal((version, id, keepAlive, clean, user), (read.Version, read.ClientId, read.KeepAliveSeconds, read.CleanStart, read.UserName));
        Assert.Equal(password, read.Password);
        Assert.Equal(connect.Will?.Topic, read.Will?.Topic);
        Assert.Equal(connect.Will?.Properties?.WillDelaySeconds, read.Will?.Properties?.WillDelaySeconds);
        Assert.Equal(connect.Properties?.SessionExpirySeconds, read.Properties?.SessionExpirySeconds);
    });

    [Fact]
    public void Any_bytes_are_a_packet_or_malformed_and_nothing_else() => Gen.Select(Gen.Byte.Array[0, 200], Version).Sample((bytes, version) =>
    {
        ReadOnlySpan<byte> rest = bytes;
        try
        {
            while (Frame.TryRead(ref rest, 1000, out var frame))
                Read(frame, version);
        }
        catch (MalformedPacketException)
        {
            // That is the one answer to what is no packet.
        }
    }, iter: 50_000);

    [Fact]
    public void A_cut_packet_is_waited_for_and_a_long_one_refused_at_once()
    {
        using var buffer = new PacketBuffer();
        PublishPacket.Write(buffer, MqttVersion.V5, "t", new byte[300], 0, false, false, 0, null);
        for (var i = 0; i < buffer.Length; i++)
        {
            var cut = buffer.Written.Span[..i];
            Assert.False(Frame.TryRead(ref cut, 1000, out _));
        }
        Assert.Equal(ReasonCode.PacketTooLarge, Assert.Throws<MalformedPacketException>(() =>
        {
            var head = buffer.Written.Span[..3];
            Frame.TryRead(ref head, 200, out _);
        }).Reason);
    }

    static void Read(in Frame frame, MqttVersion version)
    {
        switch (frame.Type)
        {
            case PacketType.Connect: ConnectPacket.Read(frame.Body); break;
            case PacketType.ConnAck: ConnAckPacket.Read(frame.Body, version); break;
            case PacketType.Publish: PublishPacket.Read(frame, version); break;
            case PacketType.PubAck: AcknowledgePacket.Read(frame.Body, version); break;
            case PacketType.Subscribe: SubscribePacket.Read(frame.Body, version); break;
            case PacketType.SubAck: SubAckPacket.Read(frame.Body, version); break;
            case PacketType.Unsubscribe: UnsubscribePacket.Read(frame.Body, version); break;
            case PacketType.Disconnect: DisconnectPacket.Read(frame.Body, version); break;
            default: frame.CheckFlags(); break;
        }
    }

    static Frame Whole(PacketBuffer buffer)
    {
        var bytes = buffer.Written.ToArray();
        ReadOnlySpan<byte> rest = bytes;
        Assert.True(Frame.TryRead(ref rest, int.MaxValue, out var frame));
        Assert.True(rest.IsEmpty);
        return new(bytes, bytes.Length - frame.Body.Length);
    }
}
