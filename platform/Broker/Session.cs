using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>
/// A client's session: its subscriptions, what is in flight to it, and what waits for it. It outlives connections when the client asked
/// for that. Everything mutable is guarded by <see cref="gate"/>, which is never held while waiting.
/// </summary>
sealed class Session(AccountId account, string clientId, MqttBroker broker) : Subscriber
{
    readonly Lock gate = new();
    readonly MessageLog log = broker.Log;
    readonly TimeProvider time = broker.Time;
    readonly Dictionary<string, Subscription> subscriptions = new(StringComparer.Ordinal);
    readonly Queue<Waiting> queue = new();
    readonly SortedDictionary<long, Inflight> inflight = [];
    readonly Dictionary<ushort, long> inflightById = [];
    MqttConnection? connection;
    ushort lastPacketId;
    long lastOrder;

    readonly record struct Waiting(Message Message, Target Target);
    sealed record Inflight(ushort PacketId, Message Message, Target Target);

    public AccountId Account { get; } = account;
    public string ClientId { get; } = clientId;
    /// <summary>Names the session in lifecycle events.</summary>
    public string Identifier { get; } = Guid.NewGuid().ToString("N");
    public string Key { get; } = Storage.Key.Of(account.Value, clientId);

    /// <summary>How long it lives on without a connection; zero ends it with the connection.</summary>
    public TimeSpan Expiry { get; set; }

    /// <summary>The will of its last connection, while its delay runs.</summary>
    public PendingWill? Will { get; set; }
    public DateTimeOffset? DisconnectedAt { get; set; }

    /// <summary>Counts the connections, for the order of lifecycle events.</summary>
    public long ConnectCount { get; set; }
    public override bool IsPersistent => Expiry > TimeSpan.Zero;
    public override bool IsReady => connection is not null;
    public MqttConnection? Connection => connection;

    public IReadOnlyList<Subscription> Subscriptions
    {
        get
        {
            lock (gate)
                return [.. subscriptions.Values];
        }
    }

    public int SubscriptionCount => subscriptions.Count;
    public int QueuedCount => queue.Count;

    public Subscription? FindSubscription(string filter)
    {
        lock (gate)
            return subscriptions.GetValueOrDefault(filter);
    }

    /// <summary>Sets a subscription and answers the one it replaces.</summary>
    public Subscription? Put(Subscription subscription)
    {
        lock (gate)
        {
            subscriptions.TryGetValue(subscription.Filter, out var before);
            subscriptions[subscription.Filter] = subscription;
            return before;
        }
    }

    public Subscription? Take(string filter)
    {
        lock (gate)
            return subscriptions.Remove(filter, out var taken) ? taken : null;
    }

    public override void Deliver(Message message, in Target target, FlushList flush)
    {
        lock (gate)
        {
            var qos = Math.Min(message.QoS, target.QoS);
            if (connection is { } live)
            {
                if (!live.MayReceive(message.Topic) || !live.Fits(message, target))
                {
                    Settle(message);
                    return;
                }
                if (qos == 0)
                {
                    live.SendQoS0(message, target, flush);
                    return;
                }
                if (inflight.Count < live.ReceiveMaximum && queue.Count == 0)
                {
                    Send(live, message, target, flush);
                    return;
                }
            }
            if (qos == 0 || (connection is null && !IsPersistent))
                return;
            if (queue.Count >= broker.Options.QueuedMessagesMax)
            {
                broker.Metrics.Dropped("queue-full");
                Settle(message);
                return;
            }
            queue.Enqueue(new(message, target));
        }
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

    void Send(MqttConnection live, Message message, in Target target, FlushList flush)
    {
        do
            lastPacketId = lastPacketId == ushort.MaxValue ? (ushort)1 : (ushort)(lastPacketId + 1);
        while (inflightById.ContainsKey(lastPacketId));
        var order = ++lastOrder;
        inflight.Add(order, new(lastPacketId, message, target));
        inflightById.Add(lastPacketId, order);
        live.SendQoS1(message, target, lastPacketId, duplicate: false, flush);
    }

    /// <summary>The client has it: the next that waits goes out.</summary>
    public void Acknowledge(ushort packetId, FlushList flush)
    {
        lock (gate)
        {
            // An unknown identifier is of a message sent in an earlier life of the session; there is nothing left to do.
            if (!inflightById.Remove(packetId, out var order) || !inflight.Remove(order, out var done))
                return;
            Settle(done.Message);
            Pump(flush);
        }
    }

    void Pump(FlushList flush)
    {
        var now = time.GetUtcNow();
        while (connection is { } live && inflight.Count < live.ReceiveMaximum && queue.TryDequeue(out var next))
        {
            if (next.Message.IsExpired(now) || !live.MayReceive(next.Message.Topic) || !live.Fits(next.Message, next.Target))
                Settle(next.Message);
            else
                Send(live, next.Message, next.Target, flush);
        }
    }

    void Settle(Message message)
    {
        if (message.LogId != 0)
            log.Acknowledge(message.LogId, Key);
    }

    /// <summary>Gives the session a connection: what was in flight goes again as duplicates, in order, then what waits. [MQTT-4.4.0-1]</summary>
    public void Attach(MqttConnection live, FlushList flush)
    {
        lock (gate)
        {
            connection = live;
            DisconnectedAt = null;
            foreach (var sent in inflight.Values)
                live.SendQoS1(sent.Message, sent.Target, sent.PacketId, duplicate: true, flush);
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

    /// <summary>Puts a message recovered from the log behind those that wait.</summary>
    public void Recover(Message message, in Target target)
    {
        lock (gate)
            queue.Enqueue(new(message, target));
    }
}
