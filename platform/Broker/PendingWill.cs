using Althing.Mqtt.Packets;

namespace Althing.Broker;

/// <summary>A will that waits for its delay.</summary>
sealed record PendingWill(WillMessage Will, MessageSource? Source, DateTimeOffset Due)
{
    public OutgoingMessage ToMessage() => new(Will.Topic, Will.Payload)
    {
        QoS = Will.QoS,
        Retain = Will.Retain,
        Expiry = Will.Properties?.MessageExpirySeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        ContentType = Will.Properties?.ContentType,
        ResponseTopic = Will.Properties?.ResponseTopic,
        CorrelationData = Will.Properties?.CorrelationData ?? [],
        PayloadIsUtf8 = Will.Properties?.PayloadIsUtf8,
        UserProperties = Will.Properties?.UserProperties ?? [],
    };
}
