using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>The reserved topics that services of the platform answer, in every account.</summary>
/// <remarks>
/// A message there reaches its service like a subscriber, but the publisher's acknowledgement waits until the service has done with it what
/// must be durable.
/// </remarks>
sealed class ServedTopics
{
    readonly record struct Entry(string Filter, Func<AccountId, DeliveredMessage, ValueTask> Serve);

    readonly Lock gate = new();
    volatile Entry[] entries = [];

    public void Add(string filter, Func<AccountId, DeliveredMessage, ValueTask> serve)
    {
        if (!Topic.IsValidFilter(filter) || filter[0] != '$')
            throw new ArgumentException($"'{filter}' is not a filter of reserved topics, which begin with '$'.", nameof(filter));
        lock (gate)
            entries = [.. entries, new(filter, serve)];
    }

    public bool Has(string topic) => topic[0] == '$' && Array.Exists(entries, e => Topic.Matches(e.Filter, topic));

    /// <summary>Gives a message to its service, if there is one; completes when that has kept what it must.</summary>
    public ValueTask Serve(AccountId account, Message message)
    {
        if (message.Topic[0] != '$')
            return default;
        foreach (var entry in entries)
        {
            if (Topic.Matches(entry.Filter, message.Topic))
                return entry.Serve(account, message.ToDelivered());
        }
        return default;
    }
}
