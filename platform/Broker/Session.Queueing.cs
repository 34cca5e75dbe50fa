using Althing.Mqtt;
using Microsoft.Extensions.Logging;

namespace Althing.Broker;

/// <summary>
/// What waits for the client. The first messages stay in memory; of the others only their numbers do, and they are read from the log again
/// when their turn comes near.
/// </summary>
sealed partial class Session
{
    /// <summary>What a queued message costs beside its payload and topic, roughly.</summary>
    const int QueuedOverheadBytes = 200;

    /// <summary>Messages that stay in memory for a client that is away, and for one that is there and will soon take them.</summary>
    const int ResidentAwayMax = 32;
    const int ResidentConnectedMax = 1024;

    /// <summary>What is read from the log at once.</summary>
    const int AheadMax = 1024;
    const int AheadBytesMax = 1 << 20;

    /// <summary>With fewer at hand the next are read.</summary>
    const int AheadMin = 256;

    readonly Queue<Waiting> queue = new();

    /// <summary>What was read ahead; null for what the log has no more.</summary>
    Dictionary<long, Message?>? ahead;
    DeliveryTerms? lastTerms;
    long queuedBytes;
    int resident;
    bool reading;

    /// <summary>What of a target goes with a waiting message.</summary>
    sealed record DeliveryTerms(int QoS, bool RetainAsPublished, IReadOnlyList<int>? Identifiers, string? Group);

    /// <param name="Message">Null when it is in the log alone.</param>
    /// <param name="Terms">Null for a message of an earlier life of the process, whose subscription is found when it is read.</param>
    /// <param name="MaybeSent">An earlier life of the process may have sent it: it goes as a duplicate.</param>
    readonly record struct Waiting(Message? Message, long LogId, DeliveryTerms? Terms, int Bytes, ushort PacketId, bool MaybeSent);

    public int QueuedCount => queue.Count;
    public long QueuedBytes => Volatile.Read(ref queuedBytes);

    bool IsFull => queue.Count >= broker.Options.QueuedMessagesMax || queuedBytes >= broker.Options.QueuedBytesMax
        || space.Queued.Bytes >= broker.Options.AccountQueuedBytesMax;

    /// <summary>Whether a message would be refused for want of room. Asked before it goes into the log; counts the refusal.</summary>
    public bool HasRoom(Message message)
    {
        lock (gate)
        {
            if (!IsFull || (connection is { } live && queue.Count == 0 && onWire < live.ReceiveMaximum))
                return true;
            RefuseFull(message);
            return false;
        }
    }

    void RefuseFull(Message message)
    {
        // The oldest are kept: they are acknowledged, and what follows them may depend on them.
        broker.Metrics.Dropped("queue-full");
        CountDropped();
        message.Record?.Note(this, DeliveryOutcome.QueueFull, message.QoS);
    }

    void Enqueue(Message message, in Target target)
    {
        var bytes = message.Payload.Length + message.Topic.Length + QueuedOverheadBytes;
        var stays = message.LogId == 0 || (resident < (connection is null ? ResidentAwayMax : ResidentConnectedMax) && broker.Resident.Bytes + bytes <= broker.Options.QueuedMemoryBytesMax);
        Enqueue(new(stays ? message : null, message.LogId, TermsOf(target), bytes, target.PacketId, MaybeSent: false));
    }

    void Enqueue(in Waiting waiting)
    {
        queue.Enqueue(waiting);
        Count(waiting, 1);
    }

    void Count(in Waiting waiting, int sign)
    {
        Volatile.Write(ref queuedBytes, queuedBytes + (sign * (long)waiting.Bytes));
        space.Queued.Add(sign * (long)waiting.Bytes);
        if (waiting.Message is null)
            return;
        resident += sign;
        broker.Resident.Add(sign * (long)waiting.Bytes);
    }

    void ClearQueue()
    {
        foreach (var waiting in queue)
            Count(waiting, -1);
        queue.Clear();
        ahead = null;
    }

    /// <summary>One object for the many messages that come by the same subscription.</summary>
    DeliveryTerms TermsOf(in Target target)
    {
        var same = lastTerms is { } t && t.QoS == target.QoS && t.RetainAsPublished == target.RetainAsPublished && t.Identifiers == target.Identifiers && t.Group == target.Group;
        return same ? lastTerms! : lastTerms = new(target.QoS, target.RetainAsPublished, target.Identifiers, target.Group);
    }

    Target TargetOf(in Waiting waiting, Message message) => waiting.Terms is { } terms
        ? new(this, terms.QoS, NoLocal: false, terms.RetainAsPublished, terms.Identifiers) { Group = terms.Group, PacketId = waiting.PacketId }
        : SessionTable.TargetOf(this, message, waiting.PacketId);

    Message? ContentOf(in Waiting waiting) => waiting.Message ?? ahead?.GetValueOrDefault(waiting.LogId);

    void Pump(FlushList flush)
    {
        while (connection is { } live && onWire < live.ReceiveMaximum)
        {
            if (inflight.TryTakeUnsent(out var entry))
            {
                SendAgain(live, entry, flush);
                continue;
            }
            if (!queue.TryPeek(out var next))
                return;
            if (next.Message is null && (ahead?.Count ?? 0) <= AheadMin)
                ReadAhead();
            var message = next.Message;
            if (message is null && (ahead is null || !ahead.Remove(next.LogId, out message)))
                return;
            queue.Dequeue();
            Count(next, -1);
            if (message is not null)
                Send(live, message, next, flush);
            else
                Settle(next.LogId, next.PacketId);
        }
    }

    void Send(MqttConnection live, Message message, in Waiting next, FlushList flush)
    {
        var target = TargetOf(next, message);
        // What may have been sent is not expired any more. [MQTT-4.3.3-7]
        var expired = !next.MaybeSent && message.IsExpired(time.GetUtcNow());
        if (expired)
            message.Record?.Note(this, DeliveryOutcome.Expired, 0);
        if (expired || !Takes(live, message, target))
            Settle(message.LogId, target.PacketId);
        else
            Send(live, message, target, next.MaybeSent, flush);
    }

    /// <summary>Begins to read the next messages from the log, unless that is under way.</summary>
    void ReadAhead()
    {
        if (reading)
            return;
        List<long> ids = [];
        var bytes = 0;
        foreach (var waiting in queue)
        {
            if (waiting.Message is not null || ahead?.ContainsKey(waiting.LogId) == true)
                continue;
            ids.Add(waiting.LogId);
            bytes += waiting.Bytes;
            if (ids.Count >= AheadMax || bytes >= AheadBytesMax)
                break;
        }
        if (ids.Count == 0)
            return;
        reading = true;
        _ = Task.Run(() => ReadAhead(ids));
    }

    async Task ReadAhead(List<long> ids)
    {
        var flush = new FlushList();
        try
        {
            var messages = await log.Load(ids);
            lock (gate)
            {
                reading = false;
                if (ended)
                    return;
                for (var i = 0; i < ids.Count; i++)
                    (ahead ??= [])[ids[i]] = messages[i];
                Pump(flush);
            }
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            lock (gate)
                reading = false;
            LogUnread(broker.Logger, ClientId, failure);
            if (connection is { } live)
                _ = live.Close(ReasonCode.ServerUnavailable, DisconnectReasons.ServerError);
        }
        flush.Flush();
    }

    /// <summary>It has subscriptions that it shares with others: what waits for it may be for them.</summary>
    bool HoldsShared => queue.Count > 0 && subscriptions?.Values.Any(s => s.Group is not null) == true;

    /// <summary>Has at hand what waits for it of shared subscriptions, for others to get it.</summary>
    public async Task ReadShared()
    {
        while (true)
        {
            List<long> ids;
            lock (gate)
            {
                if (!HoldsShared)
                    return;
                ids = [.. queue.Where(w => w.Message is null && w.Terms is null or { Group: not null } && ahead?.ContainsKey(w.LogId) != true).Select(w => w.LogId)];
            }
            if (ids.Count == 0)
                return;
            Message?[] messages;
            try
            {
                messages = await log.Load(ids);
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                LogUnread(broker.Logger, ClientId, failure);
                return;
            }
            lock (gate)
            {
                for (var i = 0; i < ids.Count; i++)
                    (ahead ??= [])[ids[i]] = messages[i];
            }
        }
    }

    /// <summary>All that the log owes the client, in the order in which it is or will be delivered: what is in flight first.</summary>
    public IReadOnlyList<(long LogId, ushort PacketId, bool Released)> Debts()
    {
        lock (gate)
        {
            return
            [
                .. inflight.All.Where(e => e.Message.LogId != 0).Select(e => (e.Message.LogId, e.Target.PacketId, e.Released)),
                .. queue.Where(w => w.LogId != 0).Select(w => (w.LogId, w.PacketId, false)),
            ];
        }
    }

    [LoggerMessage(30, LogLevel.Error, "What waits for client '{ClientId}' cannot be read now; its connection ends, its messages stay")]
    static partial void LogUnread(ILogger logger, string clientId, Exception failure);
}
