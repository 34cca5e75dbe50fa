namespace Althing.Broker;

/// <summary>Messages and bytes of one name.</summary>
public readonly record struct Counted(long Messages, long Bytes)
{
    public static Counted operator +(Counted a, Counted b) => new(a.Messages + b.Messages, a.Bytes + b.Bytes);

    /// <summary>What came since; a count that began anew counts from nothing.</summary>
    public Counted Since(Counted before) => Messages < before.Messages || Bytes < before.Bytes ? this : new(Messages - before.Messages, Bytes - before.Bytes);
}

/// <summary>
/// What has been counted up to a moment; two of them make rates. Connections count for each of the topics they published to of late, so a
/// client that uses very many topics is seen in part.
/// </summary>
public sealed record TrafficSample(
    DateTimeOffset At, IReadOnlyDictionary<string, Counted> Topics, IReadOnlyDictionary<string, Counted> From, IReadOnlyDictionary<string, Counted> To)
{
    /// <summary>The busiest names, by messages a second.</summary>
    public static IReadOnlyList<Rate> Top(IReadOnlyDictionary<string, Counted> before, IReadOnlyDictionary<string, Counted> now, TimeSpan between, int most)
    {
        var seconds = Math.Max(0.001, between.TotalSeconds);
        return [.. now.Select(n => (n.Key, Grown: n.Value.Since(before.GetValueOrDefault(n.Key)))).Where(n => n.Grown.Messages > 0)
            .OrderByDescending(n => n.Grown.Messages).ThenBy(n => n.Key, StringComparer.Ordinal).Take(most)
            .Select(n => new Rate(n.Key, n.Grown.Messages / seconds, n.Grown.Bytes / seconds))];
    }
}

/// <param name="Messages">A second.</param>
/// <param name="Bytes">A second.</param>
public sealed record Rate(string Name, double Messages, double Bytes);

/// <summary>A session, connected or waiting.</summary>
/// <param name="UnsentBytes">What its client leaves unread.</param>
/// <param name="Dropped">Messages that it did not get since the session began, for its queue was full or its client too slow.</param>
public sealed record SessionInfo(
    string ClientId, bool Connected, DateTimeOffset? DisconnectedAt, TimeSpan Expiry, int Subscriptions, int InFlight, int Queued, long QueuedBytes, long UnsentBytes, long Dropped);

/// <summary>A subscription of a client.</summary>
public sealed record SubscriptionInfo(string ClientId, bool Connected, string Filter, int QoS, bool NoLocal, bool RetainAsPublished, int? Identifier);
