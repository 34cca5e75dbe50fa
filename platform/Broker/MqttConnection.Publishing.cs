using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Broker;

/// <summary>PUBLISH from the client.</summary>
sealed partial class MqttConnection
{
    readonly PacketBuffer scratch = new();
    KnownTopic?[]? aliases;

    /// <summary>Who this client is to those who receive its messages.</summary>
    public MessageSource? Source { get; private set; }

    void TakePublish(scoped in Frame frame, ReadOnlySpan<byte> ahead, ref ReadOnlySpan<byte> rest)
    {
        var packet = PublishPacket.Read(frame, version);
        received++;
        if (packet.QoS > Options.QoSMax)
            throw new MalformedPacketException(ReasonCode.QoSNotSupported, $"PUBLISH asks for QoS {packet.QoS}; {Options.QoSMax} is the most there is here.");
        if (packet.QoS > 0 && IsV5 && ++unacknowledged > Options.ReceiveMaximum)
            throw new MalformedPacketException(ReasonCode.ReceiveMaximumExceeded, $"More than {Options.ReceiveMaximum} messages are not acknowledged. [MQTT-3.3.4-7]");
        if (packet.Properties?.SubscriptionIdentifiers is not null)
            throw new MalformedPacketException(ReasonCode.ProtocolError, "PUBLISH from a client has a subscription identifier. [MQTT-3.3.4-6]");
        if (packet.Payload.Length > Options.PayloadBytesMax)
            throw new MalformedPacketException(ReasonCode.PacketTooLarge, $"The payload has {packet.Payload.Length} bytes; {Options.PayloadBytesMax} are allowed.");
        var topic = TopicOf(packet);
        topic.Count(1, packet.Payload.Length);
        if (!topic.MayPublish(device!, packet.Retain))
        {
            Deny(packet, topic);
            return;
        }
        if (packet.QoS == 0 && !packet.Retain && TryForward(topic, packet, frame, ahead, ref rest))
            return;
        if (packet.QoS == 1 && !packet.Retain && TryPassOn(topic, packet, frame))
            return;
        if (packet.QoS == 2)
        {
            TakeExactlyOnce(packet, topic);
            return;
        }
        var message = Keep(packet, topic.Name);
        var durable = broker.Route(Account, message, this, flush);
        if (packet.QoS == 0)
            Watch(durable);
        else if (message.IsRefused)
            owed.Add(Full(PacketType.PubAck, packet.PacketId));
        else if (owed.Count == 0 && durable.IsCompletedSuccessfully)
            Acknowledge(packet.PacketId, ReasonCode.Success);
        else
            owed.Add(new(PacketType.PubAck, packet.PacketId, ReasonCode.Success, durable.AsTask()));
    }

    /// <summary>Nobody but the receivers themselves acts on what this client publishes there.</summary>
    bool IsForReceiversAlone(KnownTopic topic) => !topic.IsServed && device!.Enrichment is null && space!.Recording is null;

    /// <summary>The common case, without a message of its own in memory; false when somebody needs one.</summary>
    bool TryForward(KnownTopic topic, scoped in PublishPacket packet, scoped in Frame frame, ReadOnlySpan<byte> ahead, ref ReadOnlySpan<byte> rest)
    {
        var route = topic.RouteIn(space!);
        if (!route.IsPlain || !IsForReceiversAlone(topic) || packet.Properties?.MessageExpirySeconds is not null)
            return false;
        var run = RunOf(topic, packet, frame, ahead, ref rest);
        var publish = new EncodedPublish(scratch, topic.Name, packet, run, version);
        foreach (var target in route.Targets)
        {
            if (target.NoLocal && target.Subscriber == session)
                continue;
            if (target.Subscriber is Session receiver)
                receiver.Forward(topic.Name, ref publish, flush);
            else
                ((RemoteNode)target.Subscriber).Forward(ref publish, Source!);
        }
        return true;
    }

    /// <summary>The packet and those behind it that go the same way.</summary>
    PublishRun RunOf(KnownTopic topic, scoped in PublishPacket packet, scoped in Frame frame, ReadOnlySpan<byte> ahead, ref ReadOnlySpan<byte> rest)
    {
        if (packet.Properties is not null || trace is not null)
            return PublishRun.Of(frame, packet);
        var run = PublishRun.Read(ahead, frame, packet, Options.PayloadBytesMax);
        rest = ahead[run.Bytes.Length..];
        received += run.Count - 1;
        topic.Count(run.Count - 1, run.PayloadBytes - packet.Payload.Length);
        return run;
    }

    /// <summary>A message of QoS 1 whose receivers are all on one other node goes there as it was written; false when it does not.</summary>
    bool TryPassOn(KnownTopic topic, in PublishPacket packet, in Frame frame)
    {
        if (packet.Properties is not null || topic.RouteIn(space!).Elsewhere is not { } node || !IsForReceiversAlone(topic))
            return false;
        owed.Add(new(PacketType.PubAck, packet.PacketId, ReasonCode.Success, node.PassOn(version, Source!, frame.Whole)) { IsPassedOn = true });
        return true;
    }

    // A retained message of QoS 0 has nobody to tell of a failure but the log, where storage puts it.
    static void Watch(ValueTask durable)
    {
        if (!durable.IsCompletedSuccessfully)
            durable.AsTask().ContinueWith(static t => _ = t.Exception, TaskScheduler.Default);
    }

    KnownTopic TopicOf(in PublishPacket packet)
    {
        if (packet.Properties?.TopicAlias is not { } alias)
        {
            return packet.Topic.IsEmpty ? throw new MalformedPacketException(ReasonCode.ProtocolError, "PUBLISH has neither a topic nor an alias.")
                : topics.Find(packet.Topic);
        }
        if (alias == 0 || alias > Options.TopicAliasMax)
            throw new MalformedPacketException(ReasonCode.TopicAliasInvalid, $"The topic alias is {alias}; 1 to {Options.TopicAliasMax} are allowed.");
        aliases ??= new KnownTopic[Options.TopicAliasMax + 1];
        if (!packet.Topic.IsEmpty)
            aliases[alias] = topics.Find(packet.Topic);
        return aliases[alias] ?? throw new MalformedPacketException(ReasonCode.ProtocolError, $"The topic alias {alias} stands for no topic.");
    }

    Message Keep(in PublishPacket packet, string topic)
    {
        var now = broker.Time.GetUtcNow();
        return new()
        {
            Topic = topic,
            Payload = packet.Payload.ToArray(),
            QoS = packet.QoS,
            Retain = packet.Retain,
            Properties = Enriched(Message.Forwardable(packet.Properties)),
            Source = Source,
            Received = now,
            Expires = packet.Properties?.MessageExpirySeconds is { } seconds ? now.AddSeconds(seconds) : null,
        };
    }

    PacketProperties? Enriched(PacketProperties? properties)
    {
        if (device!.Enrichment is not { } more)
            return properties;
        properties ??= new();
        properties.UserProperties = [.. properties.UserProperties ?? [], .. more];
        return properties;
    }

    /// <summary>MQTT 3.1.1 can only be told by closing; so can MQTT 5 with QoS 0.</summary>
    void Deny(in PublishPacket packet, KnownTopic topic)
    {
        broker.Metrics.Denied(DeviceAction.Publish);
        broker.TopicsOf(Account).Recording?.Refused(topic.Name, device!.ClientId, packet.QoS, packet.Retain, packet.Payload.Length, $"Its policies do not allow {(packet.Retain ? "iot:Publish and iot:RetainPublish" : "iot:Publish")} on {topic.Name}.");
        if (!IsV5 || packet.QoS == 0)
            throw new MalformedPacketException(ReasonCode.NotAuthorized, $"Its policies do not allow publishing to {topic.Name}.");
        // The queue keeps acknowledgements in the order of their PUBLISH. [MQTT-4.6.0-2]
        owed.Add(new(packet.QoS == 1 ? PacketType.PubAck : PacketType.PubRec, packet.PacketId, ReasonCode.NotAuthorized, Task.CompletedTask)
        {
            Why = $"Its policies do not allow publishing to {topic.Name}.",
        });
    }

    /// <summary>MQTT 5 can say it; an acknowledgement of MQTT 3.1.1 says nothing.</summary>
    static Owed Full(PacketType type, ushort packetId) => new(type, packetId, ReasonCode.QuotaExceeded, Task.CompletedTask)
    {
        Why = "As much waits for its receivers as may be kept for them.",
    };

    void Acknowledge(ushort packetId, ReasonCode reason) => Answer(PacketType.PubAck, packetId, reason);
}
