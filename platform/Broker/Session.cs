using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>
/// A client's session: its subscriptions, what is in flight to it, and what waits for it. It outlives connections when the client asked
/// for that. Everything mutable is guarded by <see cref="gate"/>, which is never held while waiting.
/// </summary>
sealed partial class Session(AccountId account, string clientId, MqttBroker broker) : Subscriber
{
    readonly Lock gate = new();
    readonly MessageLog log = broker.Log;
    readonly TimeProvider time = broker.Time;
    readonly AccountTopics space = broker.TopicsOf(account);
    readonly InFlightList inflight = new();

    /// <summary>Identifiers that QoS 2 messages have in the log, from before they are sent until they are done with.</summary>
    HashSet<ushort>? reserved;
    Dictionary<string, Subscription>? subscriptions;
    Dictionary<ushort, Received>? received;
    string? key;
    MqttConnection? connection;
    ushort lastPacketId;
    long lastSent;
    int onWire;
    bool ended;


    /// <summary>A QoS 2 message from the client that it has not released.</summary>
    /// <param name="LogId">Its record in the log; 0 when the session is not persistent.</param>
    public readonly record struct Received(long LogId, Task Durable);

    public AccountId Account { get; } = account;
    public string ClientId { get; } = clientId;
    /// <summary>Names the session in lifecycle events.</summary>
    public Guid Identifier { get; } = Guid.NewGuid();
    public string Key => key ??= Storage.Key.Of(Account.Value, ClientId);

    /// <summary>How long it lives on without a connection; zero ends it with the connection.</summary>
    public TimeSpan Expiry { get; set; }

    /// <summary>The will of its last connection, while its delay runs.</summary>
    public PendingWill? Will { get; set; }

    /// <summary>The will of its connection as it is stored; null for none.</summary>
    public WillRecord? LastWill { get; set; }
    public DateTimeOffset? DisconnectedAt { get; set; }

    /// <summary>After a restart: messages of the log up to this one may have been sent to the client already.</summary>
    public long SentBefore { get; init; }

    /// <summary>Which of its client id's connections is the present or last one, from 0, for the order of lifecycle events.</summary>
    public long ConnectNumber { get; set; } = -1;
    public override bool IsPersistent => Expiry > TimeSpan.Zero;
    public override bool IsReady => connection is not null && queue.Count == 0;
    public override bool IsConnected => connection is not null;
    public MqttConnection? Connection => connection;

    public IReadOnlyList<Subscription> Subscriptions
    {
        get
        {
            lock (gate)
                return subscriptions is null ? [] : [.. subscriptions.Values];
        }
    }

    public int SubscriptionCount => subscriptions?.Count ?? 0;

    /// <summary>The newest message of the log that was sent to the client.</summary>
    public long LastSent => Volatile.Read(ref lastSent);

    public Subscription? FindSubscription(string filter)
    {
        lock (gate)
            return subscriptions?.GetValueOrDefault(filter);
    }

    /// <summary>Sets a subscription and answers the one it replaces.</summary>
    public Subscription? Put(Subscription subscription)
    {
        lock (gate)
        {
            subscriptions ??= new(StringComparer.Ordinal);
            subscriptions.TryGetValue(subscription.Filter, out var before);
            subscriptions[subscription.Filter] = subscription;
            return before;
        }
    }

    public Subscription? Take(string filter)
    {
        lock (gate)
            return subscriptions is not null && subscriptions.Remove(filter, out var taken) ? taken : null;
    }
}
