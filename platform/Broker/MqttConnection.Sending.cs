using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Broker;

/// <summary>Messages to the client. Called by the session, which lets in one caller at a time.</summary>
sealed partial class MqttConnection
{
    /// <summary>Topics whose judgement is remembered; beyond, all are judged anew.</summary>
    const int JudgedTopicsMax = 1000;

    Dictionary<string, bool>? receivable;
    int receivableAt = int.MinValue;

    /// <summary>The topic that was judged last and found receivable: publishers hand over the same text again and again.</summary>
    string? receivableLast;
    uint? clientPacketMax;
    OutboundAliases? outboundAliases;
    PacketBuffer? aliased;
    long sent;

    /// <summary>How many messages of QoS 1 and 2 the client takes before it acknowledges the first.</summary>
    public int ReceiveMaximum { get; private set; }

    /// <summary>Do its policies allow iot:Receive on the topic?</summary>
    public bool MayReceive(string topic)
    {
        var current = device!.Version;
        if (receivableAt == current && ReferenceEquals(receivableLast, topic))
            return true;
        if (receivable is null || receivableAt != current || receivable.Count > JudgedTopicsMax)
        {
            receivable = new(StringComparer.Ordinal);
            receivableAt = current;
        }
        if (!receivable.TryGetValue(topic, out var allowed))
            receivable[topic] = allowed = device.Allows(DeviceAction.Receive, topic);
        receivableLast = allowed ? topic : null;
        if (!allowed)
            broker.Metrics.Denied(DeviceAction.Receive);
        return allowed;
    }

    /// <summary>A packet larger than the client takes is not sent and counts as delivered. [MQTT-3.1.2-25]</summary>
    public bool Fits(Message message, in Target target)
    {
        if (clientPacketMax is not { } most)
            return true;
        using var buffer = new PacketBuffer(message.Payload.Length + 512);
        // As large as it may become: with its name and an alias.
        Write(buffer, message, target, (message.Topic, outboundAliases is null ? (ushort)0 : (ushort)1), 1, duplicate: false, Math.Min(message.QoS, target.QoS));
        return buffer.Length <= most;
    }

    /// <returns>False when it was left out.</returns>
    public bool SendQoS0(Message message, in Target target, FlushList flushes)
    {
        if (output.TryWrite((this, message, target), static (b, s) => s.Item1.Write(b, s.message, s.target, 0, false, qos: 0), flushes, mayDrop: true))
        {
            sent++;
            return true;
        }
        DropSlow();
        return false;
    }

    /// <summary>A message of QoS 0 is left out, because the client leaves too much unread.</summary>
    void DropSlow()
    {
        broker.Metrics.Dropped("slow-consumer");
        session!.CountDropped();
    }

    public void SendPublish(Message message, in Target target, ushort packetId, bool duplicate, FlushList flushes)
    {
        // A closed output takes nothing: the message stays in flight for the next connection.
        if (output.TryWrite((this, message, target, packetId, duplicate),
            static (b, s) => s.Item1.Write(b, s.message, s.target, s.packetId, s.duplicate, Math.Min(s.message.QoS, s.target.QoS)), flushes, mayDrop: false))
            sent++;
    }

    /// <summary>PUBREL, again after a reconnect. [MQTT-4.4.0-1]</summary>
    public void SendRelease(ushort packetId, ReasonCode reason, FlushList flushes) =>
        output.TryWrite((packetId, reason, version), static (b, s) => new AcknowledgePacket(s.packetId, s.reason).Write(b, PacketType.PubRel, s.version),
            flushes, mayDrop: false);

    /// <summary>PUBLISH packets of QoS 0 that are encoded already.</summary>
    public void SendEncoded(ref EncodedPublish publish, FlushList flushes)
    {
        if (publish.Count > 1 && (outboundAliases is not null || publish.BytesMax > clientPacketMax))
        {
            SendEach(publish, flushes);
            return;
        }
        if (outboundAliases is not null)
        {
            SendAliased(outboundAliases, publish, flushes);
            return;
        }
        var packets = publish.For(version);
        if (publish.Count == 1 && packets.Length > clientPacketMax)
            return;
        if (output.TryAdd(packets, flushes, mayDrop: true))
            sent += publish.Count;
        else if (publish.Count > 1)
            SendEach(publish, flushes);
        else
            DropSlow();
    }

    void SendEach(in EncodedPublish publishes, FlushList flushes)
    {
        using var memory = new PacketBuffer(256);
        for (var rest = publishes.Run; !rest.IsEmpty;)
        {
            var one = publishes.Next(ref rest, memory);
            SendEncoded(ref one, flushes);
        }
    }

    void SendAliased(OutboundAliases aliases, in EncodedPublish publish, FlushList flushes)
    {
        aliased ??= new(256);
        aliased.Clear();
        var (name, alias) = aliases.For(publish.Topic);
        publish.Write(aliased, name, alias);
        var fits = !(aliased.Length > clientPacketMax);
        if (fits && output.TryAdd(aliased.Written.Span, flushes, mayDrop: true))
        {
            sent++;
            return;
        }
        if (fits)
            DropSlow();
        if (name.Length > 0 && alias > 0)
            aliases.Forget(name);
    }

    void Write(PacketBuffer buffer, Message message, in Target target, ushort packetId, bool duplicate, int qos) =>
        Write(buffer, message, target, outboundAliases?.For(message.Topic) ?? (message.Topic, 0), packetId, duplicate, qos);

    void Write(PacketBuffer buffer, Message message, in Target target, (string Topic, ushort Alias) name, ushort packetId, bool duplicate, int qos) =>
        PublishPacket.Write(buffer, version, name.Topic, message.Payload, qos, message.Retain && target.RetainAsPublished, duplicate, packetId,
            IsV5 ? message.PropertiesFor(target.Identifiers, broker.Time.GetUtcNow()) : null, name.Alias);
}
