using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>The other nodes, as the broker of one node knows them. There is none where the platform is one process.</summary>
interface IBrokerCluster
{
    /// <summary>This node's name, which stands in the rows of the sessions that live here.</summary>
    string Node { get; }

    /// <summary>The name of this node's journal.</summary>
    string LogName { get; }

    /// <summary>What takes the journal away from this node when another one adopts what it has.</summary>
    JournalFence Fence { get; }

    /// <summary>This node is one of the cluster still; when not, it must acknowledge nothing.</summary>
    bool Stands { get; }

    /// <summary>The ways to all other nodes that are there.</summary>
    IReadOnlyList<IPeerQueue> Peers { get; }

    /// <summary>Has a batch fail when this node is not one of the cluster any more.</summary>
    Batch Guard(Batch batch);

    /// <summary>A client of this node subscribed (+1) or unsubscribed (-1). Called under the account's lock; must only note it.</summary>
    void Note(AccountId account, string filter, int change);

    /// <summary>Completes when all nodes that can be reached know the subscriptions of this one.</summary>
    Task Announced();

    /// <summary>Whether a node is there, as far as this one can tell.</summary>
    bool IsLive(string node);

    /// <summary>Sends a node, or its heir, a QoS 2 message that it was owed when this node or another died; completes when it has it.</summary>
    Task SendAgain(string node, AccountId account, Message message, string group, string origin, long id);

    /// <summary>Asks another node about a client.</summary>
    /// <exception cref="IOException">The node cannot be reached.</exception>
    Task<T?> Ask<T>(string node, string verb, ClientQuestion question);

    /// <summary>Has another node end a client's connection and say what its session is owed.</summary>
    /// <returns>Null when it has no such session.</returns>
    /// <exception cref="IOException">The node cannot be reached.</exception>
    Task<Handover?> Release(string node, AccountId account, string clientId, bool cleanStart);

    /// <summary>Has another node forget a session that this one owns now, and answers what came for it there meanwhile.</summary>
    /// <exception cref="IOException">The node cannot be reached.</exception>
    Task<IReadOnlyList<HandedDebt>> Finish(string node, AccountId account, string clientId);
}

/// <summary>The way to another node.</summary>
interface IPeerQueue
{
    string Node { get; }

    /// <summary>Queues a message. The task of one with QoS 1 or 2 completes when the other node, or its heir, has it durably.</summary>
    /// <param name="direct">Clients there subscribed to it.</param>
    /// <param name="group">The shared subscription one of whose members there shall have it.</param>
    /// <param name="after">It leaves when this has completed.</param>
    Task Send(AccountId account, Message message, bool direct, string? group, Task? after);

    /// <summary>Queues PUBLISH packets of QoS 0 for clients there as their publisher wrote them.</summary>
    void Forward(AccountId account, MqttVersion version, MessageSource source, ReadOnlySpan<byte> publishes);

    /// <summary>
    /// Queues a PUBLISH of QoS 1 for clients there as its publisher wrote it. The task completes when the other node, or its heir, has it
    /// durably, on a thread that must not be kept: wait for it by <see cref="Sockets.LoopReturn"/>.
    /// </summary>
    Task PassOn(AccountId account, MqttVersion version, MessageSource source, ReadOnlySpan<byte> publish);
}

/// <summary>A session on its way from one node to another.</summary>
sealed record Handover
{
    public required long ExpirySeconds { get; init; }
    public required long ConnectNumber { get; init; }
    public required IReadOnlyList<SubscriptionRecord> Subscriptions { get; init; }

    /// <summary>What it is owed, in the order of delivery.</summary>
    public required IReadOnlyList<HandedDebt> Debts { get; init; }

    /// <summary>Identifiers of QoS 2 messages that its client sent and has not released.</summary>
    public required IReadOnlyList<ushort> Receipts { get; init; }
}

/// <summary>One message that a session is owed.</summary>
/// <param name="MaybeSent">The client may have it: it goes as a duplicate.</param>
/// <param name="Record">The message as the log writes it.</param>
sealed record HandedDebt(ushort PacketId, bool Released, bool MaybeSent, byte[] Record);
