namespace Althing.Broker;

/// <summary>QoS 2 messages from the client, the session's end, and what other members of its shared subscriptions get.</summary>
sealed partial class Session
{
    /// <summary>What is known of a QoS 2 message that the client sends: null when it is new. [MQTT-4.3.3-10]</summary>
    public Received? ReceivedBefore(ushort packetId)
    {
        lock (gate)
            return received is not null && received.TryGetValue(packetId, out var earlier) ? earlier : null;
    }

    /// <summary>Notes a QoS 2 message until the client releases it.</summary>
    public void Remember(ushort packetId, Received receipt)
    {
        lock (gate)
            (received ??= [])[packetId] = receipt;
    }

    /// <summary>A QoS 2 message could not be kept: sent again, it is a new one.</summary>
    public void Forget(ushort packetId)
    {
        lock (gate)
            received?.Remove(packetId);
    }

    /// <summary>PUBREL: from now on the identifier may stand for another message.</summary>
    /// <returns>When PUBCOMP may go out; null when the identifier is unknown.</returns>
    public Task? ReleaseReceived(ushort packetId)
    {
        lock (gate)
        {
            if (received is null || !received.Remove(packetId, out var receipt))
                return null;
            return receipt.LogId == 0 ? Task.CompletedTask : log.Complete(receipt.LogId);
        }
    }

    /// <summary>
    /// Ends the session: nothing is kept for it any more. Answers what it held of shared subscriptions and its client cannot have; a QoS 2
    /// message that its client may have goes to nobody else. [MQTT-4.8.2-5]
    /// </summary>
    public IReadOnlyList<(Message Message, Target Target)> End()
    {
        lock (gate)
        {
            ended = true;
            List<(Message, Target)> shared = [];
            foreach (var entry in inflight.TakeAll())
                Part(entry.Message, entry.Target, entry.QoS == 1, shared);
            foreach (var waiting in queue)
            {
                if (ContentOf(waiting) is not { } message)
                    Settle(waiting.LogId, waiting.PacketId);
                else
                    Part(message, TargetOf(waiting, message), !waiting.MaybeSent || waiting.PacketId == 0, shared);
            }
            foreach (var receipt in received ?? [])
            {
                if (receipt.Value.LogId != 0)
                    _ = log.Complete(receipt.Value.LogId).ContinueWith(static t => _ = t.Exception, TaskScheduler.Default);
            }
            ClearQueue();
            received = null;
            return shared;
        }
    }

    void Part(Message message, in Target target, bool mayGoElsewhere, List<(Message, Target)> shared)
    {
        if (target.Group is not null && mayGoElsewhere && !message.IsExpired(time.GetUtcNow()))
            shared.Add((message, target));
        else
            Settle(message.LogId, target.PacketId);
    }

    /// <summary>Takes out what waits for it of shared subscriptions and was never sent: others of the group are there and can have it.</summary>
    public IReadOnlyList<(Message Message, Target Target)> TakeShared()
    {
        lock (gate)
        {
            List<(Message, Target)> shared = [];
            if (connection is not null || !HoldsShared)
                return shared;
            List<Waiting> kept = [];
            foreach (var waiting in queue)
            {
                if (!waiting.MaybeSent && ContentOf(waiting) is { } message && TargetOf(waiting, message) is { Group: not null } target)
                    shared.Add((message, target));
                else
                    kept.Add(waiting);
            }
            if (shared.Count > 0)
            {
                ClearQueue();
                foreach (var waiting in kept)
                    Enqueue(waiting);
            }
            return shared;
        }
    }

    /// <summary>Puts back what nobody else of the group could take.</summary>
    public void GiveBack(Message message, in Target target)
    {
        lock (gate)
        {
            if (ended)
                Settle(message.LogId, target.PacketId);
            else
                Enqueue(message, target);
        }
    }

    /// <summary>Somebody who needs no log has the message now.</summary>
    public void Relinquish(Message message, ushort packetId)
    {
        lock (gate)
            Settle(message.LogId, packetId);
    }

    /// <summary>Another session is owed the message now: the log knows that already.</summary>
    public void HandOver(ushort packetId)
    {
        lock (gate)
            reserved?.Remove(packetId);
    }
}
