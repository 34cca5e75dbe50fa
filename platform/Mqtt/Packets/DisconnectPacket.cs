namespace Althing.Mqtt.Packets;

/// <summary>DISCONNECT (section 3.14).</summary>
public sealed record DisconnectPacket(ReasonCode Reason, PacketProperties? Properties)
{
    public static DisconnectPacket Read(ReadOnlySpan<byte> body, MqttVersion version)
    {
        var reader = new PacketReader(body);
        var reason = ReasonCode.Success;
        PacketProperties? properties = null;
        if (version == MqttVersion.V5 && !reader.AtEnd)
        {
            reason = (ReasonCode)reader.Byte();
            // Codes of other packets, and those that no packet has. [MQTT-3.14.2-1]
            if (!Enum.IsDefined(reason) || reason is > ReasonCode.Success and < ReasonCode.UnspecifiedError and not ReasonCode.DisconnectWithWill)
                throw new MalformedPacketException(ReasonCode.ProtocolError, $"DISCONNECT has reason 0x{(byte)reason:X2}.");
            if (!reader.AtEnd)
                properties = PacketProperties.Read(ref reader, AllowedProperties.Disconnect);
        }
        reader.End();
        return new(reason, properties);
    }

    public void Write(PacketBuffer buffer, MqttVersion version)
    {
        buffer.Byte((int)PacketType.Disconnect << 4);
        var mark = buffer.BeginLength();
        if (version == MqttVersion.V5)
        {
            buffer.Byte((byte)Reason);
            PacketProperties.Write(buffer, Properties);
        }
        buffer.EndLength(mark);
    }
}
