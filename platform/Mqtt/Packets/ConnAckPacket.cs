namespace Althing.Mqtt.Packets;

/// <summary>CONNACK (section 3.2). For MQTT 3.1.1 the code is one of its return codes, 0 to 5.</summary>
public sealed record ConnAckPacket(bool SessionPresent, byte Code, PacketProperties? Properties)
{
    public static ConnAckPacket Read(ReadOnlySpan<byte> body, MqttVersion version)
    {
        var reader = new PacketReader(body);
        var flags = reader.Byte();
        var code = reader.Byte();
        var properties = version == MqttVersion.V5 && !reader.AtEnd ? PacketProperties.Read(ref reader, AllowedProperties.ConnAck) : null;
        reader.End();
        return new((flags & 1) != 0, code, properties);
    }

    public void Write(PacketBuffer buffer, MqttVersion version)
    {
        buffer.Byte((byte)PacketType.ConnAck << 4);
        var mark = buffer.BeginLength();
        buffer.Byte(SessionPresent ? (byte)1 : (byte)0);
        buffer.Byte(Code);
        if (version == MqttVersion.V5)
            PacketProperties.Write(buffer, Properties);
        buffer.EndLength(mark);
    }

    /// <summary>The return code of MQTT 3.1.1 (table 3.1) for a reason; null when it has none, and the server just closes. [MQTT-3.2.2-6]</summary>
    public static byte? CodeFor311(ReasonCode reason) => reason switch
    {
        ReasonCode.Success => 0,
        ReasonCode.UnsupportedProtocolVersion => 1,
        ReasonCode.ClientIdentifierNotValid => 2,
        ReasonCode.BadUserNameOrPassword => 4,
        ReasonCode.NotAuthorized or ReasonCode.Banned => 5,
        ReasonCode.ServerUnavailable or ReasonCode.ServerBusy or ReasonCode.ServerShuttingDown or ReasonCode.QuotaExceeded or ReasonCode.ConnectionRateExceeded
            or ReasonCode.UnspecifiedError => 3,
        _ => null,
    };
}
