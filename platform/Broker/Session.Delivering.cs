using Althing.Mqtt;

namespace Althing.Broker;

/// <summary>Messages to the client: the queue, what is in flight, and the two steps of QoS 2. Hot path.</summary>
sealed partial class Session
{
    /// <summary>QoS 2 messages on their way to one client; identifiers must be left for all else.</summary>
    const int ReservedMax = 32_768;

    public override void Deliver(Message message, in Target target, FlushList flush)
    {
        lock (gate)
        {
            if (ended)
            {
                message.Record?.Note(this, DeliveryOutcome.SessionEnded, 0);
                Settle(message.LogId, target.PacketId);
                return;
            }
            var qos = Math.Min(message.QoS, target.QoS);
            if (connection is { } live)
            {
                if (!Takes(live, message, target))
                {
                    Settle(message.LogId, target.PacketId);
                    return;
                }
                if (qos == 0)
                {
                    var went = live.SendQoS0(message, target, flush);
                    message.Record?.Note(this, went ? DeliveryOutcome.Sent : DeliveryOutcome.SlowConsumer, 0);
                    return;
                }
                if (onWire < live.ReceiveMaximum && queue.Count == 0 && !inflight.HasUnsent)
                {
                    Send(live, message, target, maybeSent: false, flush);
                    return;
                }
            }
            if (qos == 0 || (connection is null && !IsPersistent))
            {
                message.Record?.Note(this, DeliveryOutcome.Offline, 0);
                return;
            }
            if (IsFull)
            {
                RefuseFull(message);
                Settle(message.LogId, target.PacketId);
                return;
            }
            Enqueue(message, target);
            message.Record?.Note(this, DeliveryOutcome.Queued, qos);
        }
    }

    bool Takes(MqttConnection live, Message message, in Target target)
    {
        var (may, fits) = (live.MayReceive(message.Topic), true);
        if (may && (fits = live.Fits(message, target)))
            return true;
        message.Record?.Note(this, may ? DeliveryOutcome.TooLarge : DeliveryOutcome.Policy, 0);
        return false;
    }

    /// <summary>Takes a QoS 0 message that is encoded already; without a connection it is lost, as QoS 0 allows.</summary>
    public void Forward(string topic, ref EncodedPublish publish, FlushList flush)
    {
        lock (gate)
        {
            if (connection is { } live && live.MayReceive(topic))
                live.SendEncoded(ref publish, flush);
        }
    }

    /// <summary>An identifier for a QoS 2 message that the log must know before it is sent; 0 when there are too many already.</summary>
    public ushort ReservePacketId()
    {
        lock (gate)
        {
            if (ended || reserved?.Count >= ReservedMax)
                return 0;
            var id = recovering ? FreePacketIdWhileRecovering() : FreePacketId();
            (reserved ??= []).Add(id);
            return id;
        }
    }

    ushort FreePacketId()
    {
        do
            lastPacketId = lastPacketId == ushort.MaxValue ? (ushort)1 : (ushort)(lastPacketId + 1);
        while (inflight.Has(lastPacketId) || reserved?.Contains(lastPacketId) == true);
        return lastPacketId;
    }

    void Send(MqttConnection live, Message message, in Target target, bool maybeSent, FlushList flush)
    {
        var entry = new InFlight(target.PacketId != 0 && !inflight.Has(target.PacketId) ? target.PacketId : FreePacketId(), message, target) { OnWire = true };
        inflight.Add(entry);
        onWire++;
        if (message.LogId > lastSent)
            lastSent = message.LogId;
        live.SendPublish(message, target, entry.PacketId, maybeSent, flush);
        message.Record?.Note(this, DeliveryOutcome.Sent, entry.QoS);
    }

    void SendAgain(MqttConnection live, InFlight entry, FlushList flush)
    {
        entry.OnWire = true;
        onWire++;
        if (entry.Released)
            live.SendRelease(entry.PacketId, ReasonCode.Success, flush);
        else
            live.SendPublish(entry.Message, entry.Target, entry.PacketId, duplicate: true, flush);
    }

    /// <summary>PUBACK: the client has the message, or refuses it; the next that waits goes out. [MQTT-4.4.0-2]</summary>
    public void Acknowledge(ushort packetId, FlushList flush)
    {
        lock (gate)
        {
            // An unknown identifier is of a message sent in an earlier life of the session; there is nothing left to do.
            if (inflight.Find(packetId) is not { } entry)
                return;
            if (entry.QoS != 1)
                throw new MalformedPacketException(ReasonCode.ProtocolError, $"PUBACK for packet {packetId}, which has QoS 2.");
            Done(entry);
            entry.Message.Confirmed?.TrySetResult();
            entry.Message.Record?.Note(this, DeliveryOutcome.Acknowledged, 1);
            Pump(flush);
        }
    }

    /// <summary>PUBREC: the client has the message and will know its identifier until it is released.</summary>
    /// <returns>When PUBREL may go out; null when nothing of that identifier is in flight, or it was refused.</returns>
    public Task? Receive(ushort packetId, ReasonCode reason, FlushList flush)
    {
        lock (gate)
        {
            if (inflight.Find(packetId) is not { } entry)
                return null;
            if (entry.QoS != 2)
                throw new MalformedPacketException(ReasonCode.ProtocolError, $"PUBREC for packet {packetId}, which has QoS 1.");
            if (reason >= ReasonCode.UnspecifiedError)
            {
                Done(entry);
                Pump(flush);
                return null;
            }
            if (entry.Released)
                return Task.CompletedTask;
            entry.Released = true;
            entry.Message.Record?.Note(this, DeliveryOutcome.Acknowledged, 2);
            return entry.Message.LogId == 0 ? Task.CompletedTask : log.Release(entry.Message.LogId, Key);
        }
    }

    /// <summary>PUBCOMP: the client is done with a QoS 2 message.</summary>
    public void Complete(ushort packetId, FlushList flush)
    {
        lock (gate)
        {
            if (inflight.Find(packetId) is not { } entry)
                return;
            if (!entry.Released)
                throw new MalformedPacketException(ReasonCode.ProtocolError, $"PUBCOMP for packet {packetId}, for which PUBREC did not come.");
            Done(entry);
            Pump(flush);
        }
    }

    void Done(InFlight entry)
    {
        inflight.Remove(entry);
        if (entry.OnWire)
            onWire--;
        Settle(entry.Message.LogId, entry.Target.PacketId);
    }

    void Settle(long logId, ushort packetId)
    {
        if (packetId != 0)
            reserved?.Remove(packetId);
        if (logId != 0)
            log.Acknowledge(logId, Key);
    }

    /// <summary>
    /// Gives the session a connection: what was in flight goes again, in order, then what waits, as far as the client takes it.
    /// [MQTT-4.4.0-1, MQTT-4.6.0-1]
    /// </summary>
    public void Attach(MqttConnection live, FlushList flush)
    {
        lock (gate)
        {
            connection = live;
            DisconnectedAt = null;
            onWire = 0;
            inflight.Rewind();
            Pump(flush);
        }
    }

    /// <summary>Takes the connection away, if it is still this one.</summary>
    public bool Detach(MqttConnection old)
    {
        lock (gate)
        {
            if (connection != old)
                return false;
            connection = null;
            DisconnectedAt = time.GetUtcNow();
            return true;
        }
    }
}
