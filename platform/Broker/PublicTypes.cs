namespace Althing.Broker;

/// <summary>A message to publish.</summary>
public sealed record OutgoingMessage(string Topic, ReadOnlyMemory<byte> Payload)
{
    public int QoS { get; init; }
    public bool Retain { get; init; }
    public TimeSpan? Expiry { get; init; }
    public string? ContentType { get; init; }
    public string? ResponseTopic { get; init; }
    public ReadOnlyMemory<byte> CorrelationData { get; init; }
    public bool? PayloadIsUtf8 { get; init; }
    public IReadOnlyList<KeyValuePair<string, string>> UserProperties { get; init; } = [];
}

/// <summary>A message that reached an in-process subscriber.</summary>
/// <param name="Source">Who published it: a device's client id and principal ARN; null for the platform itself.</param>
public sealed record DeliveredMessage(OutgoingMessage Message, MessageSource? Source, DateTimeOffset Received);

public sealed record MessageSource(string ClientId, string PrincipalArn);

/// <summary>One live connection, for the console and the connection operations.</summary>
public sealed record ConnectionInfo
{
    public required string ClientId { get; init; }
    public required string PrincipalArn { get; init; }
    public required string ProtocolName { get; init; }
    public required string RemoteAddress { get; init; }
    public required DateTimeOffset ConnectedAt { get; init; }
    public required bool CleanStart { get; init; }
    public required TimeSpan KeepAlive { get; init; }
    public required TimeSpan SessionExpiry { get; init; }
    public required int Subscriptions { get; init; }
    public required long MessagesIn { get; init; }
    public required long MessagesOut { get; init; }
    public required long BytesIn { get; init; }
    public required long BytesOut { get; init; }

    /// <summary>Messages of QoS 1 and 2 that the client has not acknowledged.</summary>
    public required int InFlight { get; init; }

    /// <summary>Messages that wait until the client acknowledges others.</summary>
    public required int Queued { get; init; }
    public required long QueuedBytes { get; init; }

    /// <summary>Bytes that wait because the client leaves others unread.</summary>
    public required int UnsentBytes { get; init; }

    /// <summary>Messages that the client did not get, since its session began, for its queue was full or it was too slow.</summary>
    public required long Dropped { get; init; }
}

/// <summary>A client connected or disconnected.</summary>
/// <param name="DisconnectReason">Why it is gone, in the words of lifecycle events; null when it connected.</param>
/// <param name="LocalEndPoint">The address that it connected to, where the door knows it.</param>
/// <param name="Number">Counts the connections of the client; the two changes of one connection have the same.</param>
public sealed record PresenceChange(
    DeviceSession Device, DateTimeOffset At, string? DisconnectReason, ConnectionInfo Connection, System.Net.EndPoint? LocalEndPoint, long Number);

/// <summary>One client, connected or not.</summary>
/// <param name="DisconnectedAt">Since when its session waits for it; null while it is connected.</param>
/// <param name="SessionExpiry">How long its session outlives a connection; zero for a clean session.</param>
public sealed record ClientState(ConnectionInfo? Connection, DateTimeOffset? DisconnectedAt, TimeSpan SessionExpiry);
