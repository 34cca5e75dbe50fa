namespace Althing.Mqtt.Packets;

/// <summary>AUTH (section 3.15). The broker offers no enhanced authentication: it reads AUTH to refuse it by name.</summary>
public sealed record AuthPacket(ReasonCode Reason, PacketProperties? Properties)
{
    public static AuthPacket Read(ReadOnlySpan<byte> body)
    {
        var reader = new PacketReader(body);
        if (reader.AtEnd)
            return new(ReasonCode.Success, null);
        var reason = (ReasonCode)reader.Byte();
        if (reason is not (ReasonCode.Success or ReasonCode.ContinueAuthentication or ReasonCode.ReAuthenticate))
            throw new MalformedPacketException(ReasonCode.MalformedPacket, $"AUTH has reason 0x{(byte)reason:X2}. [MQTT-3.15.2-1]");
        var properties = reader.AtEnd ? null : PacketProperties.Read(ref reader, AllowedProperties.Auth);
        reader.End();
        return new(reason, properties);
    }

    public void Write(PacketBuffer buffer)
    {
        buffer.Byte((int)PacketType.Auth << 4);
        var mark = buffer.BeginLength();
        buffer.Byte((byte)Reason);
        PacketProperties.Write(buffer, Properties);
        buffer.EndLength(mark);
    }
}
