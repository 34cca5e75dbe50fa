namespace Althing.Mqtt.Packets;

/// <summary>UNSUBSCRIBE (section 3.10).</summary>
public sealed record UnsubscribePacket(ushort PacketId, IReadOnlyList<string> Filters)
{
    public static UnsubscribePacket Read(ReadOnlySpan<byte> body, MqttVersion version)
    {
        var reader = new PacketReader(body);
        var packetId = reader.UInt16();
        if (packetId == 0)
            throw new MalformedPacketException(ReasonCode.ProtocolError, "UNSUBSCRIBE has packet identifier 0.");
        if (version == MqttVersion.V5)
            PacketProperties.Read(ref reader, AllowedProperties.Unsubscribe);
        List<string> filters = [];
        while (!reader.AtEnd)
            filters.Add(reader.String());
        return filters.Count > 0 ? new(packetId, filters)
            : throw new MalformedPacketException(ReasonCode.ProtocolError, "UNSUBSCRIBE has no topic filter. [MQTT-3.10.3-2]");
    }

    public void Write(PacketBuffer buffer, MqttVersion version)
    {
        buffer.Byte(((int)PacketType.Unsubscribe << 4) | 2);
        var mark = buffer.BeginLength();
        buffer.UInt16(PacketId);
        if (version == MqttVersion.V5)
            buffer.Byte(0);
        foreach (var filter in Filters)
            buffer.String(filter);
        buffer.EndLength(mark);
    }
}
