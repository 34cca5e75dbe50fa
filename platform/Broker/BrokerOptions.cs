namespace Althing.Broker;

/// <summary>Limits of the broker, with the quota of AWS IoT Core where there is one ("AWS IoT Core endpoints and quotas").</summary>
public sealed record BrokerOptions
{
    /// <summary>Largest packet: 128 KB of payload and room for topic and properties. Quota "Maximum MQTT payload size".</summary>
    public int PacketBytesMax { get; init; } = (128 + 16) * 1024;

    /// <summary>Largest payload of a PUBLISH. Quota "Publish request size".</summary>
    public int PayloadBytesMax { get; init; } = 128 * 1024;

    /// <summary>Longest topic in UTF-8 bytes. Quota "Topic size limit".</summary>
    public int TopicBytesMax { get; init; } = 256;

    /// <summary>Most slashes in a topic or filter, the three of a Basic Ingest or share prefix aside. Quota "Maximum number of slashes".</summary>
    public int TopicSlashesMax { get; init; } = 7;

    /// <summary>Topic filters of one SUBSCRIBE. Quota "Maximum subscriptions per subscribe call".</summary>
    public int FiltersPerSubscribeMax { get; init; } = 8;

    /// <summary>Subscriptions of one session. Quota "Subscriptions per connection".</summary>
    public int SubscriptionsMax { get; init; } = 50;

    /// <summary>Unacknowledged messages of QoS 1 and 2 to one client. Quota "MQTT unacknowledged outbound publish requests".</summary>
    public int InflightMax { get; init; } = 100;

    /// <summary>
    /// Messages of QoS 1 and 2 kept for one session. What comes beyond is not kept for it and counted as dropped; the oldest stay, because
    /// their publishers were told that they are kept.
    /// </summary>
    public int QueuedMessagesMax { get; init; } = 100_000;

    /// <summary>Bytes of such messages, with a policy as <see cref="QueuedMessagesMax"/> has it.</summary>
    public long QueuedBytesMax { get; init; } = 64L << 20;

    /// <summary>
    /// Bytes of messages kept for all sessions of one account, counted once for each session, with a policy as
    /// <see cref="QueuedMessagesMax"/> has it. The log takes about twice as much of the disk at most.
    /// </summary>
    public long AccountQueuedBytesMax { get; init; } = 8L << 30;

    /// <summary>Bytes of waiting messages that stay in memory, of all accounts; what waits beyond is on disk alone until its turn comes.</summary>
    public long QueuedMemoryBytesMax { get; init; } = 256L << 20;

    /// <summary>How long a client waits at CONNECT, after a start, until what its session is owed is read; then it is told to come again.</summary>
    public TimeSpan RecoveryWaitMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The highest QoS: 2, or 1 as AWS has it.</summary>
    public int QoSMax { get; init; } = 2;

    /// <summary>
    /// Unacknowledged messages of QoS 1 and 2 from one MQTT 5 client, announced to it as Receive Maximum; more end its connection. Quota "MQTT
    /// unacknowledged inbound publish requests".
    /// </summary>
    public ushort ReceiveMaximum { get; init; } = 100;

    /// <summary>Topic aliases that a client may use. Quota "Topic aliases per connection".</summary>
    public ushort TopicAliasMax { get; init; } = 8;

    /// <summary>Topic aliases that a client is sent at most, if it takes as many.</summary>
    public ushort OutboundTopicAliasMax { get; init; } = 64;

    /// <summary>
    /// Messages a second from one client; it is read from no faster. 0 sets no limit. AWS has 100, quota "Publish requests per second per
    /// connection".
    /// </summary>
    public int PublishesPerSecondMax { get; init; }

    /// <summary>Bytes a second from one client, as <see cref="PublishesPerSecondMax"/>. AWS has 524288, quota "Throughput per second per connection".</summary>
    public int BytesPerSecondMax { get; init; }

    /// <summary>Bytes waiting for one client's socket before QoS 0 messages to it are dropped and counted: a slow consumer must not cost memory.</summary>
    public int OutputBytesMax { get; init; } = 4 << 20;

    /// <summary>Session expiry of MQTT 3.1.1 persistent sessions. Quota "Persistent session expiry period".</summary>
    public TimeSpan SessionExpiryDefault { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Longest session expiry that an MQTT 5 client may ask for. AWS allows seven days.</summary>
    public TimeSpan SessionExpiryMax { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Longest keep-alive; a client that asks for more or none gets this. Quota "Connection inactivity (keep-alive) interval".</summary>
    public TimeSpan KeepAliveMax { get; init; } = TimeSpan.FromSeconds(1200);

    /// <summary>
    /// CONNECT packets of one account's clients in a second, once its burst is used up; 0 for any number. AWS has 500 ("Connect requests per
    /// second per account"), which several machines share.
    /// </summary>
    public int ConnectsPerSecondMax { get; init; } = 5_000;

    /// <summary>CONNECT packets that an account saves up while fewer come: a fleet comes back at once after an outage.</summary>
    public int ConnectBurst { get; init; } = 20_000;

    /// <summary>How long a connection may stay without CONNECT.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The limits that AWS IoT Core has where the defaults here go beyond it: no QoS 2, and a pace for each client.</summary>
    public static BrokerOptions Strict { get; } = new() { QoSMax = 1, PublishesPerSecondMax = 100, BytesPerSecondMax = 512 * 1024 };

    /// <summary>Whether a subscription with wildcards gets retained messages too, as MQTT has it; AWS sends them for exact topics alone.</summary>
    public bool RetainedOnWildcards { get; init; }
}
