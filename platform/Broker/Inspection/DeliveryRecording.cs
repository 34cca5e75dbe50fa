using Althing.Mqtt;

namespace Althing.Broker;

/// <summary>What to record; what is null does not narrow it.</summary>
public sealed record RecordingWish
{
    /// <summary>Publishes to topics that match.</summary>
    public string? TopicFilter { get; init; }

    /// <summary>Publishes of this client.</summary>
    public string? Publisher { get; init; }

    /// <summary>A client of which to say why it did not get a message, though no subscription of its own leads there.</summary>
    public string? Receiver { get; init; }
}

/// <summary>
/// Who got each publish, and why others did not, for the last <see cref="KeptMax"/> publishes that fit, until it is disposed or
/// <see cref="LifetimeMax"/> is over. While one runs, publishes of QoS 0 of its account take the longer way; else it costs nothing.
/// </summary>
public sealed class DeliveryRecording : IDisposable
{
    public const int KeptMax = 100;

    /// <summary>A recording that somebody forgot ends by itself.</summary>
    public static readonly TimeSpan LifetimeMax = TimeSpan.FromMinutes(15);

    readonly Lock gate = new();
    readonly Queue<PublishRecord> kept = new();
    readonly RecordingWish wish;
    readonly AccountTopics space;
    readonly SessionLookup find;
    readonly TimeProvider time;
    readonly DateTimeOffset until;
    long count;

    internal delegate Session? SessionLookup(string clientId);

    internal DeliveryRecording(RecordingWish wish, AccountTopics space, SessionLookup find, TimeProvider time)
    {
        if (wish.TopicFilter is { } filter && !Topic.IsValidFilter(filter))
            throw new ArgumentException($"'{filter}' is not a topic filter: + and # stand alone in their level, # in the last.", nameof(wish));
        (this.wish, this.space, this.find, this.time) = (wish, space, find, time);
        until = time.GetUtcNow() + LifetimeMax;
        space.Record(this);
    }

    /// <summary>False when it was disposed, its time is over, or another recording of the account took its place.</summary>
    public bool IsRunning => space.Recording == this && time.GetUtcNow() < until;

    /// <summary>How many publishes fitted, kept or not.</summary>
    public long Count => Volatile.Read(ref count);

    /// <summary>What is kept, the newest first.</summary>
    public IReadOnlyList<RecordedPublish> Publishes
    {
        get
        {
            lock (gate)
                return [.. kept.Reverse().Select(r => r.Describe())];
        }
    }

    /// <summary>Begins the record of one publish; null when it does not fit.</summary>
    internal PublishRecord? Begin(Message message, Route route)
    {
        if (!Wants(message.Topic, message.Source?.ClientId))
            return null;
        var record = new PublishRecord(message.Topic, message.Source?.ClientId, message.QoS, message.Retain, message.Payload.Length, message.Received);
        foreach (var target in route.Targets.Where(t => t.Subscriber is LocalSubscriber))
            record.Note(target.Subscriber, DeliveryOutcome.Sent, message.QoS);
        foreach (var member in route.Groups.SelectMany(g => g.Members))
            record.Note(member.Subscriber, DeliveryOutcome.SharedElsewhere, 0);
        if (wish.Receiver is { } receiver && !Leads(route, receiver))
            record.Missing(receiver, WhyNoSubscription(receiver, message.Topic));
        Keep(record);
        return record;
    }

    /// <summary>A client was refused a publish.</summary>
    internal void Refused(string topic, string clientId, int qos, bool retain, int bytes, string why)
    {
        if (Wants(topic, clientId))
            Keep(new(topic, clientId, qos, retain, bytes, time.GetUtcNow()) { Refusal = why });
    }

    bool Wants(string topic, string? publisher)
    {
        if (time.GetUtcNow() >= until)
            space.StopRecording(this);
        return IsRunning && Fits(topic, publisher);
    }

    bool Fits(string topic, string? publisher) =>
        (wish.Publisher is null || wish.Publisher == publisher) && (wish.TopicFilter is null || Topic.Matches(wish.TopicFilter, topic));

    static bool Leads(Route route, string clientId) =>
        route.Targets.Concat(route.Groups.SelectMany(g => g.Members)).Any(t => t.Subscriber is Session session && session.ClientId == clientId);

    (DeliveryOutcome, string) WhyNoSubscription(string clientId, string topic)
    {
        if (find(clientId) is not { } session)
            return (DeliveryOutcome.NoSession, "It is not connected and has no session that waits for it.");
        if (session.RefusalFor(topic) is { } refusal)
            return (DeliveryOutcome.SubscriptionRefused, $"Its subscription to {refusal.Filter} was refused: {refusal.Why}");
        var filters = session.Subscriptions.Select(s => s.Filter).ToList();
        return (DeliveryOutcome.NoSubscription, filters.Count == 0 ? "It has no subscription." : $"None of its {filters.Count} subscriptions matches: {string.Join(", ", filters.Take(10))}");
    }

    void Keep(PublishRecord record)
    {
        lock (gate)
        {
            count++;
            kept.Enqueue(record);
            if (kept.Count > KeptMax)
                kept.Dequeue();
        }
    }

    public void Dispose() => space.StopRecording(this);
}
