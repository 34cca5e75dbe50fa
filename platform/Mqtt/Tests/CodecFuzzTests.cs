using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Tests.Mqtt;

/// <summary>Damaged packets against the codec: one kind of answer, and no memory that the bytes do not pay for.</summary>
public class CodecFuzzTests
{
    const int PacketBytesMax = 4096;

    /// <summary>What reading may allocate for each byte of a packet: the smallest property makes objects some ten times its size.</summary>
    const int BytesForEach = 100;

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void A_damaged_packet_is_read_or_malformed_and_costs_little(int seed)
    {
        var packets = new RandomPackets(seed);
        for (var i = 0; i < 50_000; i++)
        {
            var version = i % 2 == 0 ? MqttVersion.V5 : MqttVersion.V311;
            var bytes = packets.Damaged(packets.Valid(version));
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                ReadOnlySpan<byte> rest = bytes;
                while (Frame.TryRead(ref rest, PacketBytesMax, out var frame))
                {
                    frame.CheckFlags();
                    Read(frame, version);
                }
            }
            catch (MalformedPacketException)
            {
                // That is the one answer to what is no packet.
            }
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < 16_384 + (bytes.Length * BytesForEach), $"Seed {seed}, packet {i}: {allocated} bytes were allocated for {Convert.ToHexString(bytes)}.");
        }
    }

    [Fact]
    public void A_valid_packet_is_never_malformed()
    {
        var packets = new RandomPackets(5);
        for (var i = 0; i < 20_000; i++)
        {
            var version = i % 2 == 0 ? MqttVersion.V5 : MqttVersion.V311;
            ReadOnlySpan<byte> rest = packets.Valid(version);
            Assert.True(Frame.TryRead(ref rest, PacketBytesMax, out var frame));
            // AUTH, and a reason behind DISCONNECT or SUBACK, exist in MQTT 5 alone.
            if (version == MqttVersion.V311 && frame.Type is PacketType.Auth)
                continue;
            frame.CheckFlags();
            Read(frame, version);
        }
    }

    static void Read(in Frame frame, MqttVersion version)
    {
        switch (frame.Type)
        {
            case PacketType.Connect: ConnectPacket.Read(frame.Body); break;
            case PacketType.ConnAck: ConnAckPacket.Read(frame.Body, version); break;
            case PacketType.Publish: PublishPacket.Read(frame, version); break;
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp: AcknowledgePacket.Read(frame.Body, version); break;
            case PacketType.Subscribe: SubscribePacket.Read(frame.Body, version); break;
            case PacketType.SubAck or PacketType.UnsubAck: SubAckPacket.Read(frame.Body, version); break;
            case PacketType.Unsubscribe: UnsubscribePacket.Read(frame.Body, version); break;
            case PacketType.Disconnect: DisconnectPacket.Read(frame.Body, version); break;
            case PacketType.Auth: AuthPacket.Read(frame.Body); break;
        }
    }
}
