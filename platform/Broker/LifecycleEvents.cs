using System.Text.Json;
using System.Text.Json.Serialization;

namespace Althing.Broker;

/// <summary>
/// What the platform says of connections and subscriptions on <c>$aws/events/presence</c> and <c>$aws/events/subscriptions</c>
/// ("Lifecycle events").
/// </summary>
sealed class LifecycleEvents(MqttBroker broker, TimeProvider time)
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    sealed record Event
    {
        public required string ClientId { get; init; }
        public required long Timestamp { get; init; }
        public required string EventType { get; init; }
        public required string SessionIdentifier { get; init; }
        public required string PrincipalIdentifier { get; init; }
        public string? IpAddress { get; init; }
        public bool? ClientInitiatedDisconnect { get; init; }
        public string? DisconnectReason { get; init; }
        public IReadOnlyList<string>? Topics { get; init; }
        public long? VersionNumber { get; init; }
    }

    public void Connected(MqttConnection connection, Session session)
    {
        broker.Tell(connection.Presence(time.GetUtcNow(), null));
        Say("presence/connected", connection, session, e => e with
        {
            EventType = "connected",
            IpAddress = AddressOf(connection.RemoteAddress),
            VersionNumber = connection.ConnectNumber,
        });
    }

    public void Disconnected(MqttConnection connection, Session session, string reason)
    {
        broker.Tell(connection.Presence(time.GetUtcNow(), reason));
        Say("presence/disconnected", connection, session, e => e with
        {
            EventType = "disconnected",
            ClientInitiatedDisconnect = reason == DisconnectReasons.ClientInitiated,
            DisconnectReason = reason,
            VersionNumber = connection.ConnectNumber,
        });
    }

    public void Subscribed(MqttConnection connection, Session session, IReadOnlyList<string> filters) =>
        Say("subscriptions/subscribed", connection, session, e => e with { EventType = "subscribed", Topics = filters });

    public void Unsubscribed(MqttConnection connection, Session session, IReadOnlyList<string> filters) =>
        Say("subscriptions/unsubscribed", connection, session, e => e with { EventType = "unsubscribed", Topics = filters });

    void Say(string kind, MqttConnection connection, Session session, Func<Event, Event> fill)
    {
        // A client id with a wildcard makes no topic name.
        var topic = $"$aws/events/{kind}/{session.ClientId}";
        if (!Mqtt.Topic.IsValidName(topic))
            return;
        var said = fill(new()
        {
            ClientId = session.ClientId,
            Timestamp = time.GetUtcNow().ToUnixTimeMilliseconds(),
            EventType = "",
            SessionIdentifier = session.Identifier.ToString("N"),
            PrincipalIdentifier = connection.PrincipalId,
        });
        broker.PublishSoon(session.Account, new(topic, JsonSerializer.SerializeToUtf8Bytes(said, Json)));
    }

    static string? AddressOf(string remote) => System.Net.IPEndPoint.TryParse(remote, out var end) ? end.Address.ToString() : remote;
}
