using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Cluster;

/// <summary>How many of a node's subscribers have a filter.</summary>
sealed record FilterCount(string Account, string Filter, int Count);

/// <summary>What changed, or all there is.</summary>
/// <param name="Number">Counts a node's changes.</param>
sealed record FilterChange(long Number, bool IsAll, IReadOnlyList<FilterCount> Filters);

/// <summary>The filters of this node's own subscribers, which the other nodes are told.</summary>
sealed class FilterBook
{
    readonly Lock gate = new();
    readonly Dictionary<(AccountId Account, string Filter), int> counts = [];
    long number;

    /// <summary>Told of each change that concerns the others, in order.</summary>
    public Action<FilterChange> Changed { get; set; } = static _ => { };

    public long Number
    {
        get
        {
            lock (gate)
                return number;
        }
    }

    public void Note(AccountId account, string filter, int change)
    {
        lock (gate)
        {
            var before = counts.GetValueOrDefault((account, filter));
            var after = before + change;
            if (after == 0)
                counts.Remove((account, filter));
            else
                counts[(account, filter)] = after;
            // How many there are matters for shared subscriptions alone, where nodes with more members get more.
            if (before != 0 && after != 0 && Topic.SplitShared(filter).Group is null)
                return;
            Changed(new(++number, IsAll: false, [new(account.Value, filter, after)]));
        }
    }

    /// <summary>All filters as of one moment, at which nothing is told.</summary>
    public T Read<T>(Func<FilterChange, T> read)
    {
        lock (gate)
            return read(new(number, IsAll: true, [.. counts.Select(c => new FilterCount(c.Key.Account.Value, c.Key.Filter, c.Value))]));
    }
}
