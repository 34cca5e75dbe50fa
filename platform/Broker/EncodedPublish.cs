using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Broker;

/// <summary>
/// One PUBLISH of QoS 0 for many receivers, encoded at most once for each version of MQTT. What the publisher wrote goes on unchanged where
/// nothing in it must change. Hot path: a view into the reader's and the publisher's memory.
/// </summary>
ref struct EncodedPublish
{
    readonly PacketBuffer scratch;
    readonly string topic;
    readonly PublishPacket packet;
    readonly Frame frame;
    readonly MqttVersion written;
    MqttVersion encoded;

    /// <param name="scratch">The publisher's memory for what is encoded anew.</param>
    /// <param name="written">The version the publisher speaks.</param>
    public EncodedPublish(PacketBuffer scratch, string topic, in PublishPacket packet, in Frame frame, MqttVersion written)
    {
        this.scratch = scratch;
        this.topic = topic;
        this.packet = packet;
        this.frame = frame;
        this.written = written;
    }

    public ReadOnlySpan<byte> For(MqttVersion version)
    {
        if (version == written && packet.Properties is null)
            return frame.Whole;
        // With properties there may be both kinds of receivers; then each switch encodes anew, which is rare and right.
        if (version != encoded)
            Encode(version);
        return scratch.Written.Span;
    }

    /// <summary>As it was written where that will do for any receiver, else for MQTT 5.</summary>
    public ReadOnlySpan<byte> ForNode(out MqttVersion version)
    {
        version = packet.Properties is null ? written : MqttVersion.V5;
        return For(version);
    }

    /// <summary>Writes it for one MQTT 5 client with an alias of its own.</summary>
    public readonly void Write(PacketBuffer buffer, string topicName, ushort alias) =>
        PublishPacket.Write(buffer, MqttVersion.V5, topicName, packet.Payload, 0, false, false, 0, Message.Forwardable(packet.Properties), alias);

    public readonly string Topic => topic;

    void Encode(MqttVersion version)
    {
        scratch.Clear();
        PublishPacket.Write(scratch, version, topic, packet.Payload, 0, false, false, 0,
            version == MqttVersion.V5 ? Message.Forwardable(packet.Properties) : null);
        encoded = version;
    }
}
