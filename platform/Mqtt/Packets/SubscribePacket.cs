namespace Althing.Mqtt.Packets;

/// <summary>SUBSCRIBE (section 3.8).</summary>
public sealed record SubscribePacket(ushort PacketId, IReadOnlyList<SubscribeEntry> Entries, PacketProperties? Properties)
{
    public static SubscribePacket Read(ReadOnlySpan<byte> body, MqttVersion version)
    {
        var reader = new PacketReader(body);
        var packetId = reader.UInt16();
        if (packetId == 0)
            throw new MalformedPacketException(ReasonCode.ProtocolError, "SUBSCRIBE has packet identifier 0.");
        var properties = version == MqttVersion.V5 ? PacketProperties.Read(ref reader, AllowedProperties.Subscribe) : null;
        if (properties?.SubscriptionIdentifiers is { Count: > 1 })
            throw new MalformedPacketException(ReasonCode.ProtocolError, "SUBSCRIBE has more than one subscription identifier.");
        List<SubscribeEntry> entries = [];
        while (!reader.AtEnd)
        {
            var filter = reader.String();
            var options = reader.Byte();
            var reserved = version == MqttVersion.V5 ? 0xC0 : 0xFC;
            if ((options & reserved) != 0 || (options & 3) == 3 || ((options >> 4) & 3) == 3)
                throw new MalformedPacketException(ReasonCode.MalformedPacket, "The options of a subscription are malformed. [MQTT-3.8.3-5]");
            entries.Add(new(filter, options & 3, (options & 4) != 0, (options & 8) != 0, (RetainHandling)((options >> 4) & 3)));
        }
        return entries.Count > 0 ? new(packetId, entries, properties)
            : throw new MalformedPacketException(ReasonCode.ProtocolError, "SUBSCRIBE has no topic filter. [MQTT-3.8.3-2]");
    }

    public void Write(PacketBuffer buffer, MqttVersion version)
    {
        buffer.Byte(((int)PacketType.Subscribe << 4) | 2);
        var mark = buffer.BeginLength();
        buffer.UInt16(PacketId);
        if (version == MqttVersion.V5)
            PacketProperties.Write(buffer, Properties);
        foreach (var entry in Entries)
        {
            buffer.String(entry.Filter);
            buffer.Byte((byte)(entry.QoS | (entry.NoLocal ? 4 : 0) | (entry.RetainAsPublished ? 8 : 0) | ((int)entry.RetainHandling << 4)));
        }
        buffer.EndLength(mark);
    }
}

/// <summary>One topic filter with its subscription options.</summary>
public readonly record struct SubscribeEntry(string Filter, int QoS, bool NoLocal = false, bool RetainAsPublished = false, RetainHandling RetainHandling = RetainHandling.Send);

/// <summary>When retained messages are sent for a subscription.</summary>
public enum RetainHandling : byte { Send, SendIfNew, DoNotSend }
