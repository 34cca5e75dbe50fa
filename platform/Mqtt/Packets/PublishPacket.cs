namespace Althing.Mqtt.Packets;

/// <summary>PUBLISH (section 3.3) as it lies in the read buffer. Hot path: a view, valid while the buffer is.</summary>
public readonly ref struct PublishPacket
{
    public ReadOnlySpan<byte> Topic { get; private init; }
    public ReadOnlySpan<byte> Payload { get; private init; }
    public PacketProperties? Properties { get; private init; }
    public ushort PacketId { get; private init; }
    public int QoS { get; private init; }
    public bool Retain { get; private init; }
    public bool Duplicate { get; private init; }

    public static PublishPacket Read(scoped in Frame frame, MqttVersion version)
    {
        var reader = new PacketReader(frame.Body);
        var qos = (frame.Flags >> 1) & 3;
        if (qos == 3)
            throw new MalformedPacketException(ReasonCode.MalformedPacket, "PUBLISH has QoS 3. [MQTT-3.3.1-4]");
        if (qos == 0 && (frame.Flags & 8) != 0)
            throw new MalformedPacketException(ReasonCode.MalformedPacket, "PUBLISH of QoS 0 is marked as a duplicate. [MQTT-3.3.1-2]");
        var topic = reader.Utf8();
        var packetId = qos > 0 ? reader.UInt16() : (ushort)0;
        if (qos > 0 && packetId == 0)
            throw new MalformedPacketException(ReasonCode.ProtocolError, "PUBLISH has packet identifier 0. [MQTT-2.2.1-3]");
        var properties = version == MqttVersion.V5 ? PacketProperties.Read(ref reader, AllowedProperties.Publish) : null;
        CheckResponseTopic(properties);
        return new()
        {
            Topic = topic,
            PacketId = packetId,
            Properties = properties,
            Payload = reader.All(),
            QoS = qos,
            Retain = (frame.Flags & 1) != 0,
            Duplicate = (frame.Flags & 8) != 0,
        };
    }

    /// <summary>Checks the response topic of a message or a will. [MQTT-3.3.2-14]</summary>
    internal static void CheckResponseTopic(PacketProperties? properties)
    {
        if (properties?.ResponseTopic is { } topic && !Mqtt.Topic.IsValidName(topic))
            throw new MalformedPacketException(ReasonCode.ProtocolError, "The response topic is empty or has a wildcard.");
    }

    /// <summary>Writes a PUBLISH and answers where its packet identifier stands, from the packet's first byte; 0 for QoS 0.</summary>
    public static int Write(
        PacketBuffer buffer, MqttVersion version, string topic, ReadOnlySpan<byte> payload, int qos, bool retain, bool duplicate, ushort packetId,
        PacketProperties? properties, ushort topicAlias = 0)
    {
        var start = buffer.Length;
        buffer.Byte((byte)(((int)PacketType.Publish << 4) | (duplicate ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)));
        var mark = buffer.BeginLength();
        buffer.String(topic);
        var idFromMark = buffer.Length - mark;
        if (qos > 0)
            buffer.UInt16(packetId);
        if (version == MqttVersion.V5)
            PacketProperties.Write(buffer, properties, topicAlias);
        buffer.Raw(payload);
        var body = buffer.Length - mark;
        buffer.EndLength(mark);
        return qos == 0 ? 0 : buffer.Length - start - body + idFromMark;
    }
}
