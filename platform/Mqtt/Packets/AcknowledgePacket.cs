namespace Althing.Mqtt.Packets;

/// <summary>PUBACK, PUBREC, PUBREL and PUBCOMP (sections 3.4 to 3.7), which have one form.</summary>
/// <param name="Why">The reason string, for people; MQTT 5 alone has it.</param>
public readonly record struct AcknowledgePacket(ushort PacketId, ReasonCode Reason, string? Why = null)
{
    /// <summary>Bytes of the packet, property length included, around a reason string.</summary>
    const int BytesAroundWhy = 4 + 2 + 3 + 2 + 3;

    public static AcknowledgePacket Read(ReadOnlySpan<byte> body, MqttVersion version)
    {
        var reader = new PacketReader(body);
        var packetId = reader.UInt16();
        if (packetId == 0)
            throw new MalformedPacketException(ReasonCode.ProtocolError, "An acknowledgement has packet identifier 0.");
        var reason = ReasonCode.Success;
        string? why = null;
        if (version == MqttVersion.V5 && !reader.AtEnd)
        {
            reason = (ReasonCode)reader.Byte();
            if (!reader.AtEnd)
                why = PacketProperties.Read(ref reader, AllowedProperties.Acknowledge)?.ReasonString;
        }
        reader.End();
        return new(packetId, reason, why);
    }

    /// <summary>Is the reason one that this packet may have (tables 3-4 to 3-7)?</summary>
    public bool HasReasonOf(PacketType type) => type is PacketType.PubAck or PacketType.PubRec
        ? Reason is ReasonCode.Success or ReasonCode.NoMatchingSubscribers or ReasonCode.UnspecifiedError or ReasonCode.ImplementationSpecificError
            or ReasonCode.NotAuthorized or ReasonCode.TopicNameInvalid or ReasonCode.PacketIdentifierInUse or ReasonCode.QuotaExceeded
            or ReasonCode.PayloadFormatInvalid
        : Reason is ReasonCode.Success or ReasonCode.PacketIdentifierNotFound;

    /// <summary>The same without the reason string when the packet would be larger than the receiver takes. [MQTT-3.4.2-2 and its like]</summary>
    public AcknowledgePacket Within(uint? packetBytesMax) =>
        Why is not null && System.Text.Encoding.UTF8.GetByteCount(Why) + BytesAroundWhy > packetBytesMax ? this with { Why = null } : this;

    public void Write(PacketBuffer buffer, PacketType type, MqttVersion version)
    {
        buffer.Byte((byte)(((int)type << 4) | (type == PacketType.PubRel ? 2 : 0)));
        var withReason = version == MqttVersion.V5 && Reason != ReasonCode.Success;
        if (withReason && Why is not null)
        {
            var mark = buffer.BeginLength();
            buffer.UInt16(PacketId);
            buffer.Byte((byte)Reason);
            PacketProperties.Write(buffer, new() { ReasonString = Why });
            buffer.EndLength(mark);
            return;
        }
        buffer.Byte(withReason ? (byte)3 : (byte)2);
        buffer.UInt16(PacketId);
        if (withReason)
            buffer.Byte((byte)Reason);
    }
}
