using System.Collections.Concurrent;
using Althing.Mqtt;

namespace Althing.Broker;

/// <summary>The topic space of one account: subscriptions and retained messages.</summary>
/// <param name="note">Told of each filter that one more (+1) or one less (-1) of this node's own subscribers has; null without a cluster.</param>
sealed class AccountTopics(Action<string, int>? note = null)
{
    /// <summary>Routes kept; when there are more topics than this, all are forgotten and found anew.</summary>
    const int RoutesMax = 100_000;

    readonly TopicTree<Subscription> tree = new();
    readonly ConcurrentDictionary<string, Route> routes = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, Message> retained = new(StringComparer.Ordinal);
    readonly Lock gate = new();
    volatile int version;
    volatile DeliveryRecording? recording;

    public int Version => version;

    /// <summary>Who wants to know who gets what; null almost always.</summary>
    public DeliveryRecording? Recording => recording;

    public void Record(DeliveryRecording by) => recording = by;

    public void StopRecording(DeliveryRecording by) => Interlocked.CompareExchange(ref recording, null, by);

    /// <summary>What waits in the account's sessions.</summary>
    public QueueBudget Queued { get; } = new();

    public int RetainedCount => retained.Count;

    public void Add(Subscription subscription)
    {
        lock (gate)
        {
            tree.Add(Topic.SplitShared(subscription.Filter).Filter, subscription);
            version++;
            Note(subscription, 1);
        }
    }

    void Note(Subscription subscription, int change)
    {
        if (note is not null && subscription.Owner is Session or LocalSubscriber { IsEverywhere: true })
            note(subscription.Filter, change);
    }

    /// <summary>Sets one subscription for another of the same filter; at no moment has the topic neither.</summary>
    public void Replace(Subscription? before, Subscription after)
    {
        lock (gate)
        {
            if (before is not null)
                tree.Remove(Topic.SplitShared(before.Filter).Filter, before);
            tree.Add(Topic.SplitShared(after.Filter).Filter, after);
            version++;
            if (before is null)
                Note(after, 1);
        }
    }

    public void Remove(Subscription subscription)
    {
        lock (gate)
        {
            if (!tree.Remove(Topic.SplitShared(subscription.Filter).Filter, subscription))
                return;
            version++;
            Note(subscription, -1);
        }
    }

    Route nobody = new(-1, [], []);

    /// <summary>Who gets this topic's messages now. Cheap when nothing changed since it was asked last.</summary>
    public Route RouteOf(string topic)
    {
        if (routes.TryGetValue(topic, out var known) && known.Version == version)
            return known;
        lock (gate)
        {
            List<Subscription> found = [];
            tree.Match(topic, found);
            // What nobody gets is not remembered here: each client has such topics, the events of its coming and going.
            if (found.Count == 0)
                return nobody.Version == version ? nobody : nobody = MakeRoute(version, found);
            var route = MakeRoute(version, found);
            if (routes.Count >= RoutesMax)
                routes.Clear();
            routes[topic] = route;
            return route;
        }
    }

    static Route MakeRoute(int version, List<Subscription> found)
    {
        var direct = from s in found where s.Group is null group s by s.Owner into mine select Fold(mine.Key, [.. mine]);
        var groups = from s in found
                     where s.Group is not null
                     group s by s.Filter into shared
                     select new SharedGroup(shared.Key, [.. shared.Select(s => Fold(s.Owner, [s]) with { Group = s.Filter })]);
        return new(version, [.. direct], [.. groups]);
    }

    static Target Fold(Subscriber owner, List<Subscription> mine)
    {
        List<int> identifiers = [.. mine.Where(s => s.Identifier is not null).Select(s => s.Identifier!.Value)];
        return new(owner, mine.Max(s => s.QoS), mine.All(s => s.NoLocal), mine.Any(s => s.RetainAsPublished), identifiers.Count > 0 ? identifiers : null);
    }

    public void SetRetained(Message message)
    {
        if (message.Payload.Length == 0)
            retained.TryRemove(message.Topic, out _);
        else
            retained[message.Topic] = message;
    }

    public void ClearRetained(string topic) => retained.TryRemove(topic, out _);

    public IEnumerable<Message> Retained(string filter, bool wildcards)
    {
        if (!Topic.HasWildcard(filter))
            return retained.TryGetValue(filter, out var one) ? [one] : [];
        return wildcards ? retained.Values.Where(m => Topic.Matches(filter, m.Topic)) : [];
    }

    public Message? RetainedOf(string topic) => retained.GetValueOrDefault(topic);

    public IEnumerable<Message> AllRetained => retained.Values;
}
