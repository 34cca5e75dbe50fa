namespace Althing.Mqtt.Packets;

/// <summary>PUBACK, PUBREC, PUBREL and PUBCOMP (sections 3.4 to 3.7), which have one form.</summary>
public readonly record struct AcknowledgePacket(ushort PacketId, ReasonCode Reason)
{
    public static AcknowledgePacket Read(ReadOnlySpan<byte> body, MqttVersion version)
    {
        var reader = new PacketReader(body);
        var packetId = reader.UInt16();
        var reason = ReasonCode.Success;
        if (version == MqttVersion.V5 && !reader.AtEnd)
        {
            reason = (ReasonCode)reader.Byte();
            if (!reader.AtEnd)
                PacketProperties.Read(ref reader);
        }
        reader.End();
        return new(packetId, reason);
    }

    public void Write(PacketBuffer buffer, PacketType type, MqttVersion version)
    {
        buffer.Byte((byte)(((int)type << 4) | (type == PacketType.PubRel ? 2 : 0)));
        var withReason = version == MqttVersion.V5 && Reason != ReasonCode.Success;
        buffer.Byte(withReason ? (byte)3 : (byte)2);
        buffer.UInt16(PacketId);
        if (withReason)
            buffer.Byte((byte)Reason);
    }
}
