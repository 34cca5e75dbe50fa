using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Sockets;

namespace Althing.Broker;

/// <summary>The acknowledgements of QoS 1 and 2, in both directions. What must be on disk before one goes out is waited for in order.</summary>
sealed partial class MqttConnection
{
    /// <summary>An answer that goes out when something is on disk.</summary>
    /// <param name="Delivery">The QoS 2 message that is delivered then, too.</param>
    readonly record struct Owed(PacketType Type, ushort PacketId, ReasonCode Reason, Task Durable, ExactlyOnce? Delivery = null)
    {
        /// <summary>For the people behind the client.</summary>
        public string? Why { get; init; }

        /// <summary>Another node says so, on an event loop's thread, which must not be kept.</summary>
        public bool IsPassedOn { get; init; }
    }

    /// <summary>Messages of QoS 1 and 2 that came over this connection and are not acknowledged to the end.</summary>
    int unacknowledged;

    /// <summary>Whether the client wants reason strings; CONNACK and DISCONNECT may have them anyway. [MQTT-3.1.2-29]</summary>
    bool wantsReasons = true;

    /// <summary>What a client was promised could not be kept; its connection ends without the acknowledgement.</summary>
    sealed class NotKeptException(Exception inner) : Exception(inner.Message, inner);

    /// <summary>A PUBLISH of QoS 2: a new message, or one that was not acknowledged in time and comes again. [MQTT-4.3.3-10]</summary>
    void TakeExactlyOnce(in PublishPacket packet, KnownTopic topic)
    {
        if (session!.ReceivedBefore(packet.PacketId) is { } earlier)
        {
            owed.Add(new(PacketType.PubRec, packet.PacketId, ReasonCode.Success, earlier.Durable));
            return;
        }
        var delivery = broker.Prepare(Account, Keep(packet, topic.Name), session, packet.PacketId);
        owed.Add((delivery.Message.IsRefused ? Full(PacketType.PubRec, packet.PacketId) : new(PacketType.PubRec, packet.PacketId, ReasonCode.Success, delivery.Durable)) with { Delivery = delivery });
    }

    void TakeAcknowledgement(PacketType type, AcknowledgePacket packet)
    {
        if (!packet.HasReasonOf(type))
            throw new MalformedPacketException(ReasonCode.ProtocolError, $"{type} has reason 0x{(byte)packet.Reason:X2}.");
        var mine = session!;
        switch (type)
        {
            case PacketType.PubAck:
                mine.Acknowledge(packet.PacketId, flush);
                return;
            case PacketType.PubRec when mine.Receive(packet.PacketId, packet.Reason, flush) is { } durable:
                Owe(PacketType.PubRel, packet.PacketId, durable);
                return;
            case PacketType.PubRec when packet.Reason < ReasonCode.UnspecifiedError:
                Owe(PacketType.PubRel, packet.PacketId, Task.CompletedTask, ReasonCode.PacketIdentifierNotFound);
                return;
            case PacketType.PubRel when mine.ReleaseReceived(packet.PacketId) is { } durable:
                Owe(PacketType.PubComp, packet.PacketId, durable);
                return;
            case PacketType.PubRel:
                Owe(PacketType.PubComp, packet.PacketId, Task.CompletedTask, ReasonCode.PacketIdentifierNotFound);
                return;
            case PacketType.PubComp:
                mine.Complete(packet.PacketId, flush);
                return;
        }
    }

    void Owe(PacketType type, ushort packetId, Task durable, ReasonCode reason = ReasonCode.Success)
    {
        if (owed.Count == 0 && durable.IsCompletedSuccessfully)
            Answer(type, packetId, reason);
        else
            owed.Add(new(type, packetId, reason, durable));
    }

    static async Task Kept(Task durable)
    {
        try
        {
            await durable;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            throw new NotKeptException(failure);
        }
    }

    /// <summary>A node that another one may have taken over acknowledges nothing.</summary>
    void RefuseUnlessStanding()
    {
        if (broker.Cluster is { Stands: false })
            throw new NotKeptException(new IOException("This node is not one of the cluster any more."));
    }

    void Answer(PacketType type, ushort packetId, ReasonCode reason, string? why = null)
    {
        RefuseUnlessStanding();
        // The client counts its message as done with at PUBACK, PUBCOMP, or a PUBREC that refuses. [MQTT-4.9.0-2]
        if (unacknowledged > 0 && (type is PacketType.PubAck or PacketType.PubComp || (type == PacketType.PubRec && reason >= ReasonCode.UnspecifiedError)))
            unacknowledged--;
        var packet = new AcknowledgePacket(packetId, reason, IsV5 && wantsReasons ? why : null).Within(clientPacketMax);
        output.TryWrite((packet, type, version), static (buffer, s) => s.packet.Write(buffer, s.type, s.version), flush, mayDrop: false);
    }

    /// <summary>
    /// Waits until what the batch owes is on disk, then delivers and acknowledges it in order. When something could not be kept, what follows
    /// is delivered still, because it may be on disk, but not acknowledged.
    /// </summary>
    async ValueTask AcknowledgeOwed()
    {
        NotKeptException? failed = null;
        var loop = EventLoop.Current;
        foreach (var next in owed)
        {
            try
            {
                if (next.IsPassedOn)
                    await new LoopReturn(next.Durable, loop);
                else if (!next.Durable.IsCompletedSuccessfully)
                    await Kept(next.Durable);
            }
            catch (NotKeptException failure)
            {
                failed ??= failure;
                if (next.Delivery is not null)
                    session!.Forget(next.PacketId);
                continue;
            }
            next.Delivery?.Deliver(flush);
            if (failed is null)
                Answer(next.Type, next.PacketId, next.Reason, next.Why);
        }
        owed.Clear();
        flush.FlushSoon();
        if (failed is not null)
            throw failed;
    }
}
