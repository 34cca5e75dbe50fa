using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>A persistent session as it is stored.</summary>
sealed record SessionRecord
{
    public static readonly Table<SessionRecord> Table = new("mqtt-sessions", s => (s.Account, s.ClientId));

    public required AccountId Account { get; init; }
    public required string ClientId { get; init; }
    public required long ExpirySeconds { get; init; }

    /// <summary>Null while it has a connection; after a crash it counts from the restart.</summary>
    public DateTimeOffset? DisconnectedAt { get; init; }
    public required IReadOnlyList<SubscriptionRecord> Subscriptions { get; init; }

    /// <summary>The newest message of the log that was sent to it; what is as old may have been, and goes as a duplicate.</summary>
    public long LastSent { get; init; }

    /// <summary>Which of its client id's connections was the last.</summary>
    public long ConnectNumber { get; init; }

    /// <summary>The node of the cluster where it lives; null where the platform is one process.</summary>
    public string? Node { get; init; }
}

sealed record SubscriptionRecord(string Filter, int QoS, bool NoLocal, bool RetainAsPublished, int? Identifier)
{
    public static SubscriptionRecord Of(Subscription s) => new(s.Filter, s.QoS, s.NoLocal, s.RetainAsPublished, s.Identifier);

    public Subscription For(Session session) => new(session, Filter)
    {
        Group = Topic.SplitShared(Filter).Group,
        QoS = QoS,
        NoLocal = NoLocal,
        RetainAsPublished = RetainAsPublished,
        Identifier = Identifier,
    };
}

/// <summary>Counts the lives of the process on one log, from which the numbers of its messages follow.</summary>
sealed record LogLife(string Log, long Count)
{
    public static readonly Table<LogLife> Table = new("mqtt-logs", l => (AccountId.Platform, l.Log));
}

/// <summary>A retained message as it is stored.</summary>
sealed record RetainedRecord
{
    public static readonly Table<RetainedRecord> Table = new("mqtt-retained", r => (r.Account, r.Topic));

    public required AccountId Account { get; init; }
    public required string Topic { get; init; }
    public required byte[] Payload { get; init; }
    public required int QoS { get; init; }
    public required DateTimeOffset Received { get; init; }
    public DateTimeOffset? Expires { get; init; }

    /// <summary>The MQTT 5 property block, encoded.</summary>
    public byte[]? Properties { get; init; }
}
