using Althing.Storage;

namespace Althing.Broker;

/// <summary>The message broker: one topic space per account, reached by devices over MQTT and by the platform's services in process.</summary>
public sealed partial class MqttBroker
{
    /// <summary>Publishes on behalf of the platform. Returns when every QoS 1 obligation is durable.</summary>
    public ValueTask Publish(AccountId account, OutgoingMessage message, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>
    /// Delivers every message that matches the filter to the handler until disposed, in order per topic. Handlers must not block: hand over to
    /// a queue of your own.
    /// </summary>
    public IDisposable Subscribe(AccountId account, string filter, Action<DeliveredMessage> handler) => throw new NotImplementedException();

    /// <summary>The connections there are now, by client id.</summary>
    public IReadOnlyList<ConnectionInfo> Connections(AccountId account) => throw new NotImplementedException();

    /// <summary>Closes a client's connection as an administrator's act; false when it has none.</summary>
    public ValueTask<bool> Disconnect(AccountId account, string clientId, CancellationToken cancel) => throw new NotImplementedException();
}

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
}
