using Althing.Mqtt;

namespace Althing.Broker;

/// <summary>What people see of the session.</summary>
sealed partial class Session
{
    /// <summary>Refused subscriptions that are remembered, the last ones.</summary>
    const int RefusalsMax = 20;

    List<(string Filter, string Why)>? refusals;
    long dropped;

    public int InFlightCount => Volatile.Read(ref onWire);

    /// <summary>Messages that the client did not get because its queue was full or it was too slow.</summary>
    public long Dropped => Volatile.Read(ref dropped);

    public void CountDropped() => Interlocked.Increment(ref dropped);

    /// <summary>Notes a subscription that the client asked for and did not get.</summary>
    public void Refused(string filter, string why)
    {
        lock (gate)
        {
            refusals ??= [];
            refusals.RemoveAll(r => r.Filter == filter);
            refusals.Add((filter, why));
            if (refusals.Count > RefusalsMax)
                refusals.RemoveAt(0);
        }
    }

    /// <summary>A refused subscription that would have led to the topic; null when there was none.</summary>
    public (string Filter, string Why)? RefusalFor(string topic)
    {
        lock (gate)
        {
            foreach (var refusal in refusals ?? [])
            {
                if (subscriptions?.ContainsKey(refusal.Filter) != true && Topic.Matches(Topic.SplitShared(refusal.Filter).Filter, topic))
                    return refusal;
            }
            return null;
        }
    }

    public SessionInfo Describe() => new(
        ClientId, IsConnected, IsConnected ? null : DisconnectedAt, Expiry, SubscriptionCount, IsConnected ? InFlightCount : inflight.Count, QueuedCount, QueuedBytes, connection?.UnsentBytes ?? 0, Dropped);
}
