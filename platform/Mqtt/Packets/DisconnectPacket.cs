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
            if (!reader.AtEnd)
                properties = PacketProperties.Read(ref reader);
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
