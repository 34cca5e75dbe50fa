namespace Althing.Mqtt.Packets;

/// <summary>SUBACK and, in MQTT 5, UNSUBACK (sections 3.9 and 3.11): a reason for each topic filter.</summary>
/// <param name="Why">The reason string, for people; MQTT 5 alone has it.</param>
public sealed record SubAckPacket(ushort PacketId, IReadOnlyList<ReasonCode> Reasons, string? Why = null)
{
    public static SubAckPacket Read(ReadOnlySpan<byte> body, MqttVersion version)
    {
        var reader = new PacketReader(body);
        var packetId = reader.UInt16();
        string? why = null;
        if (version == MqttVersion.V5)
            why = PacketProperties.Read(ref reader, AllowedProperties.Acknowledge)?.ReasonString;
        return new(packetId, [.. reader.All().ToArray().Select(b => (ReasonCode)b)], why);
    }

    public void Write(PacketBuffer buffer, PacketType type, MqttVersion version)
    {
        buffer.Byte((byte)((int)type << 4));
        var mark = buffer.BeginLength();
        buffer.UInt16(PacketId);
        if (version == MqttVersion.V5)
            PacketProperties.Write(buffer, Why is null ? null : new() { ReasonString = Why });
        if (type == PacketType.SubAck || version == MqttVersion.V5)
        {
            // MQTT 3.1.1 knows one failure code.
            foreach (var reason in Reasons)
                buffer.Byte(version == MqttVersion.V311 && reason >= ReasonCode.UnspecifiedError ? (byte)0x80 : (byte)reason);
        }
        buffer.EndLength(mark);
    }
}
