using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Broker;

/// <summary>
/// PUBLISH packets of QoS 0 to one topic for many receivers, encoded at most once for each version of MQTT. What the publisher wrote goes on
/// unchanged where nothing in it must change. Hot path: a view into the reader's and the publisher's memory.
/// </summary>
ref struct EncodedPublish
{
    /// <summary>MQTT 5 has one byte more for no properties, which may make the length's form longer by one.</summary>
    const int GrowthMax = 2;

    readonly PacketBuffer scratch;
    readonly string topic;
    readonly PublishPacket packet;
    readonly PublishRun run;
    readonly MqttVersion written;
    MqttVersion encoded;

    /// <param name="scratch">The publisher's memory for what is encoded anew.</param>
    /// <param name="packet">The first of the run; the only one when it has properties.</param>
    /// <param name="written">The version the publisher speaks.</param>
    public EncodedPublish(PacketBuffer scratch, string topic, scoped in PublishPacket packet, scoped in PublishRun run, MqttVersion written)
    {
        this.scratch = scratch;
        this.topic = topic;
        this.packet = packet;
        this.run = run;
        this.written = written;
    }

    public readonly string Topic => topic;
    public readonly int Count => run.Count;

    /// <summary>Of the largest packet of several, at most.</summary>
    public readonly int BytesMax => run.BytesMax + GrowthMax;

    public ReadOnlySpan<byte> For(MqttVersion version)
    {
        if (version == written && packet.Properties is null)
            return run.Bytes;
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

    /// <summary>Takes the next packet of a run off it, as a run of its own.</summary>
    public readonly EncodedPublish Next(scoped ref ReadOnlySpan<byte> rest, PacketBuffer memory)
    {
        Frame.TryRead(ref rest, int.MaxValue, out var frame);
        var one = PublishPacket.Read(frame, written);
        return new(memory, topic, one, PublishRun.Of(frame, one), written);
    }

    public readonly ReadOnlySpan<byte> Run => run.Bytes;

    /// <summary>Writes a packet alone for one MQTT 5 client with an alias of its own.</summary>
    public readonly void Write(PacketBuffer buffer, string topicName, ushort alias) =>
        PublishPacket.Write(buffer, MqttVersion.V5, topicName, packet.Payload, 0, false, false, 0, Message.Forwardable(packet.Properties), alias);

    void Encode(MqttVersion version)
    {
        scratch.Clear();
        encoded = version;
        if (run.Count == 1)
        {
            Write(version, packet);
            return;
        }
        var rest = run.Bytes;
        while (Frame.TryRead(ref rest, int.MaxValue, out var frame))
            Write(version, PublishPacket.Read(frame, written));
    }

    readonly void Write(MqttVersion version, in PublishPacket one) =>
        PublishPacket.Write(scratch, version, topic, one.Payload, 0, false, false, 0, version == MqttVersion.V5 ? Message.Forwardable(one.Properties) : null);
}
