using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>A persistent session as it is stored, or one that is not but has a will.</summary>
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

    /// <summary>What is published when its client is gone: of its connection, or of the last one while its delay runs.</summary>
    public WillRecord? Will { get; init; }
}

/// <param name="Properties">As in CONNECT.</param>
/// <param name="Due">When it is published; null while there is a connection, after whose end its delay begins.</param>
sealed record WillRecord(
    string Topic, byte[] Payload, int QoS, bool Retain, byte[] Properties, string? ClientId, string? PrincipalArn, DateTimeOffset? Due)
{
    public static WillRecord Of(WillMessage will, MessageSource? source, DateTimeOffset? due)
    {
        using var properties = new PacketBuffer();
        PacketProperties.Write(properties, will.Properties);
        return new(will.Topic, will.Payload, will.QoS, will.Retain, properties.Written.ToArray(), source?.ClientId, source?.PrincipalArn, due);
    }

    /// <param name="ended">When the connection ended, at the latest.</param>
    public PendingWill After(DateTimeOffset ended)
    {
        var reader = new PacketReader(Properties);
        var properties = PacketProperties.Read(ref reader, AllowedProperties.Will);
        var source = ClientId is null ? null : new MessageSource(ClientId, PrincipalArn!);
        return new(new(Topic, Payload, QoS, Retain, properties), source, Due ?? ended.AddSeconds(properties?.WillDelaySeconds ?? 0));
    }
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
