using Althing.Mqtt;

namespace Althing.Broker;

/// <summary>A published message that somebody must keep: queued, in flight, retained, or handed to a service.</summary>
sealed class Message
{
    public required string Topic { get; init; }
    public required byte[] Payload { get; init; }
    public required int QoS { get; init; }
    public bool Retain { get; init; }

    /// <summary>The properties that travel with it to subscribers; null for none.</summary>
    public PacketProperties? Properties { get; init; }
    public MessageSource? Source { get; init; }
    public required DateTimeOffset Received { get; init; }
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Its number in the log; 0 when no persistent session depends on it.</summary>
    public long LogId { get; set; }

    /// <summary>A session should have kept it and had no room, and nobody else keeps it.</summary>
    public bool IsRefused { get; set; }

    /// <summary>Notes who gets it, when somebody wants to know; null almost always.</summary>
    public PublishRecord? Record { get; set; }

    /// <summary>Set for a message whose sender waits until the client acknowledges it.</summary>
    public TaskCompletionSource? Confirmed { get; init; }

    /// <summary>The same message with no place in the log.</summary>
    public static Message Unlogged(Message message) => new()
    {
        Topic = message.Topic,
        Payload = message.Payload,
        QoS = message.QoS,
        Retain = message.Retain,
        Properties = message.Properties,
        Source = message.Source,
        Received = message.Received,
        Expires = message.Expires,
        Record = message.Record,
    };

    public bool IsExpired(DateTimeOffset now) => Expires is { } end && end <= now;

    /// <summary>The properties for a subscriber: expiry counted down [MQTT-3.3.2-6], its own subscription identifiers added.</summary>
    public PacketProperties? PropertiesFor(IReadOnlyList<int>? subscriptionIds, DateTimeOffset now)
    {
        if (Expires is null && subscriptionIds is null)
            return Properties;
        return new()
        {
            PayloadIsUtf8 = Properties?.PayloadIsUtf8,
            ContentType = Properties?.ContentType,
            ResponseTopic = Properties?.ResponseTopic,
            CorrelationData = Properties?.CorrelationData,
            UserProperties = Properties?.UserProperties,
            MessageExpirySeconds = Expires is { } end ? (uint)Math.Max(0, Math.Ceiling((end - now).TotalSeconds)) : null,
            SubscriptionIdentifiers = subscriptionIds is null ? null : [.. subscriptionIds],
        };
    }

    /// <summary>What of a PUBLISH's properties goes on to subscribers [MQTT-3.3.2-4 and following]; null when nothing does.</summary>
    public static PacketProperties? Forwardable(PacketProperties? all) =>
        all is null || (all.PayloadIsUtf8 is null && all.ContentType is null && all.ResponseTopic is null && all.CorrelationData is null && all.UserProperties is null)
            ? null
            : new()
            {
                PayloadIsUtf8 = all.PayloadIsUtf8,
                ContentType = all.ContentType,
                ResponseTopic = all.ResponseTopic,
                CorrelationData = all.CorrelationData,
                UserProperties = all.UserProperties,
            };

    public static Message From(OutgoingMessage message, MessageSource? source, DateTimeOffset now, TaskCompletionSource? confirmed = null) => new()
    {
        Confirmed = confirmed,
        Topic = message.Topic,
        Payload = message.Payload.ToArray(),
        QoS = message.QoS,
        Retain = message.Retain,
        Received = now,
        Expires = message.Expiry is { } expiry ? now + expiry : null,
        Source = source,
        Properties = Forwardable(new()
        {
            PayloadIsUtf8 = message.PayloadIsUtf8,
            ContentType = message.ContentType,
            ResponseTopic = message.ResponseTopic,
            CorrelationData = message.CorrelationData.IsEmpty ? null : message.CorrelationData.ToArray(),
            UserProperties = message.UserProperties.Count > 0 ? [.. message.UserProperties] : null,
        }),
    };

    public DeliveredMessage ToDelivered() => new(
        new(Topic, Payload)
        {
            QoS = QoS,
            Retain = Retain,
            ContentType = Properties?.ContentType,
            ResponseTopic = Properties?.ResponseTopic,
            CorrelationData = Properties?.CorrelationData,
            PayloadIsUtf8 = Properties?.PayloadIsUtf8,
            UserProperties = Properties?.UserProperties ?? [],
        }, Source, Received);
}
