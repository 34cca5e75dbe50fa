namespace Althing.Broker;

/// <summary>What became of one message for one receiver.</summary>
public enum DeliveryOutcome
{
    /// <summary>It was written to the receiver's connection, or handed to a service of the platform.</summary>
    Sent,

    /// <summary>The receiver said that it has it.</summary>
    Acknowledged,

    /// <summary>It waits: the receiver is away, or has as many messages in flight as it takes.</summary>
    Queued,

    /// <summary>The receiver's policies do not allow iot:Receive on the topic.</summary>
    Policy,

    /// <summary>The receiver is away, and nothing is kept for it: QoS 0.</summary>
    Offline,

    /// <summary>As many messages wait for the receiver as its session may hold.</summary>
    QueueFull,

    /// <summary>QoS 0, and the receiver leaves too much unread.</summary>
    SlowConsumer,

    /// <summary>Larger than the receiver takes.</summary>
    TooLarge,

    /// <summary>The receiver published it and asked not to hear itself.</summary>
    NoLocal,

    /// <summary>It expired before the receiver was there.</summary>
    Expired,

    /// <summary>The receiver's session ended.</summary>
    SessionEnded,

    /// <summary>Another member of the shared subscription got it.</summary>
    SharedElsewhere,

    /// <summary>No subscription of the receiver matches.</summary>
    NoSubscription,

    /// <summary>The receiver asked for a subscription that matches, and was refused.</summary>
    SubscriptionRefused,

    /// <summary>There is no such client.</summary>
    NoSession,
}

/// <param name="Receiver">The client id; null for a service of the platform.</param>
/// <param name="QoS">With which it went; meaningless where it did not.</param>
public sealed record RecordedDelivery(string? Receiver, DeliveryOutcome Outcome, int QoS, string Why);

/// <param name="Publisher">The client id; null for the platform itself.</param>
/// <param name="Refusal">Why the publish was refused; null when it was taken.</param>
/// <param name="More">Receivers beyond those that are listed.</param>
public sealed record RecordedPublish(
    string Topic, string? Publisher, int QoS, bool Retain, int Bytes, DateTimeOffset At, string? Refusal, IReadOnlyList<RecordedDelivery> Receivers, int More);

/// <summary>The record of one publish while it is delivered; each receiver's last outcome counts.</summary>
sealed class PublishRecord(string topic, string? publisher, int qos, bool retain, int bytes, DateTimeOffset at)
{
    const int ReceiversMax = 200;

    readonly Lock gate = new();
    readonly Dictionary<Subscriber, (DeliveryOutcome Outcome, int QoS)> outcomes = [];
    RecordedDelivery? missing;
    int more;

    public string? Refusal { get; init; }

    public void Note(Subscriber receiver, DeliveryOutcome outcome, int atQoS)
    {
        lock (gate)
        {
            if (outcomes.Count < ReceiversMax || outcomes.ContainsKey(receiver))
                outcomes[receiver] = (outcome, atQoS);
            else if (outcome != DeliveryOutcome.Acknowledged)
                more++;
        }
    }

    public void Missing(string clientId, (DeliveryOutcome Outcome, string Why) found) => missing = new(clientId, found.Outcome, 0, found.Why);

    public RecordedPublish Describe()
    {
        lock (gate)
        {
            var receivers = outcomes.Select(o => new RecordedDelivery((o.Key as Session)?.ClientId, o.Value.Outcome, o.Value.QoS, Why(o.Key, o.Value.Outcome, o.Value.QoS)))
                .OrderBy(d => d.Receiver, StringComparer.Ordinal).ToList();
            if (missing is not null)
                receivers.Insert(0, missing);
            return new(topic, publisher, qos, retain, bytes, at, Refusal, receivers, more);
        }
    }

    string Why(Subscriber receiver, DeliveryOutcome outcome, int atQoS) => outcome switch
    {
        DeliveryOutcome.Sent when receiver is LocalSubscriber => "A service of the platform took it.",
        DeliveryOutcome.Sent when atQoS == 0 => "Written to its connection with QoS 0.",
        DeliveryOutcome.Sent => $"Written to its connection with QoS {atQoS}; it has not acknowledged it.",
        DeliveryOutcome.Acknowledged => $"Acknowledged with QoS {atQoS}.",
        DeliveryOutcome.Queued => receiver.IsConnected ? "Waits: the client has as many messages in flight as it takes." : "Waits in its session: the client is away.",
        DeliveryOutcome.Policy => $"Its policies do not allow iot:Receive on {topic}.",
        DeliveryOutcome.Offline => qos == 0 ? "The client is away, and messages of QoS 0 do not wait." : "The client is away, and its subscription has QoS 0 or its session does not wait.",
        DeliveryOutcome.QueueFull => "As many messages wait for it as its session may hold.",
        DeliveryOutcome.SlowConsumer => "It leaves too much unread, and messages of QoS 0 do not wait.",
        DeliveryOutcome.TooLarge => "The packet is larger than the client said it takes.",
        DeliveryOutcome.NoLocal => "It published the message itself, and subscribed with 'no local'.",
        DeliveryOutcome.Expired => "The message expired while it waited.",
        DeliveryOutcome.SessionEnded => "Its session ended.",
        DeliveryOutcome.SharedElsewhere => "Another member of its shared subscription was chosen.",
        _ => "",
    };
}
