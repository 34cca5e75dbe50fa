namespace Althing.Mqtt.Packets;

/// <summary>SUBACK and, in MQTT 5, UNSUBACK (sections 3.9 and 3.11): a reason for each topic filter.</summary>
public sealed record SubAckPacket(ushort PacketId, IReadOnlyList<ReasonCode> Reasons)
{
    public static SubAckPacket Read(ReadOnlySpan<byte> body, MqttVersion version)
    {
        var reader = new PacketReader(body);
        var packetId = reader.UInt16();
        if (version == MqttVersion.V5)
            PacketProperties.Read(ref reader);
        return new(packetId, [.. reader.All().ToArray().Select(b => (ReasonCode)b)]);
    }

    public void Write(PacketBuffer buffer, PacketType type, MqttVersion version)
    {
        buffer.Byte((byte)((int)type << 4));
        var mark = buffer.BeginLength();
        buffer.UInt16(PacketId);
        if (version == MqttVersion.V5)
            buffer.Byte(0);
        if (type == PacketType.SubAck || version == MqttVersion.V5)
        {
            // MQTT 3.1.1 knows one failure code.
            foreach (var reason in Reasons)
                buffer.Byte(version == MqttVersion.V311 && reason >= ReasonCode.UnspecifiedError ? (byte)0x80 : (byte)reason);
        }
        buffer.EndLength(mark);
    }
}
