namespace Althing.Broker;

/// <summary>What an earlier life of the process left. New messages queue behind it meanwhile.</summary>
sealed partial class Session
{
    Queue<Waiting>? recovered;
    ushort lastWhileRecovering;
    volatile bool recovering;

    /// <summary>The log is not read yet: its client waits, and nothing of it ends.</summary>
    public bool IsRecovering => recovering && !IsInstalled;

    public void BeginRecovery() => (recovered, recovering) = (new(), true);

    /// <summary>Takes back what the log has of it after a restart.</summary>
    /// <param name="maybeSent">It may have been sent before.</param>
    public void Recover(long logId, int bytes, in Debt debt, bool maybeSent)
    {
        lock (gate)
        {
            if (!debt.Released)
            {
                recovered!.Enqueue(new(null, logId, null, bytes, debt.PacketId, maybeSent));
                return;
            }
            // The client had it already; only the release is missing, which needs no content.
            var message = new Message { Topic = "", Payload = [], QoS = 2, Received = time.GetUtcNow(), LogId = logId };
            inflight.Add(new(debt.PacketId, message, new(this, 2, false, false, null) { PacketId = debt.PacketId }) { Released = true });
        }
    }

    /// <summary>
    /// All is back: puts it before what came since. A new message of QoS 2 whose identifier an older one has gets another.
    /// </summary>
    /// <returns>When the log knows of new identifiers.</returns>
    public Task Recovered()
    {
        lock (gate)
        {
            var since = queue.ToList();
            ClearQueue();
            HashSet<ushort> old = [.. inflight.All.Select(e => e.PacketId), .. recovered!.Where(w => w.PacketId != 0).Select(w => w.PacketId)];
            if (old.Count > 0)
                (reserved ??= []).UnionWith(old);
            foreach (var waiting in recovered!)
            {
                Enqueue(waiting);
                if (waiting.PacketId != 0)
                    lastPacketId = waiting.PacketId;
            }
            List<Task> noted = [];
            foreach (var waiting in since)
                Enqueue(waiting.PacketId != 0 && old.Contains(waiting.PacketId) ? Renamed(waiting, noted) : waiting);
            recovered = null;
            return Task.WhenAll(noted);
        }
    }

    Waiting Renamed(in Waiting waiting, List<Task> noted)
    {
        var id = FreePacketId();
        reserved!.Add(id);
        noted.Add(log.Move(waiting.LogId, Key, new(Key, id)) ?? Task.CompletedTask);
        return waiting with { PacketId = id };
    }

    public void EndRecovery() => recovering = false;

    /// <summary>From the other end than identifiers are usually taken, for those of older messages are not known yet.</summary>
    ushort FreePacketIdWhileRecovering()
    {
        do
            lastWhileRecovering = lastWhileRecovering <= 1 ? ushort.MaxValue : (ushort)(lastWhileRecovering - 1);
        while (reserved?.Contains(lastWhileRecovering) == true);
        return lastWhileRecovering;
    }
}
