using Althing.Broker;
using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Cluster;

/// <summary>The filters of one other node's subscribers, as subscriptions in this node's topic spaces.</summary>
sealed class RemoteFilters(MqttBroker broker, IPeerQueue queue)
{
    /// <summary>A node's members of a shared subscription weigh no more than this many.</summary>
    const int WeightMax = 64;

    readonly Lock gate = new();
    readonly Dictionary<AccountId, RemoteNode> nodes = [];
    readonly Dictionary<(AccountId, string), List<Subscription>> subscriptions = [];

    public void Take(FilterChange change)
    {
        lock (gate)
        {
            if (change.IsAll)
            {
                HashSet<(AccountId, string)> kept = [.. change.Filters.Select(f => (AccountId.FromStorage(f.Account), f.Filter))];
                foreach (var gone in subscriptions.Keys.Where(k => !kept.Contains(k)).ToList())
                    Set(gone.Item1, gone.Item2, 0);
            }
            foreach (var filter in change.Filters)
                Set(AccountId.FromStorage(filter.Account), filter.Filter, filter.Count);
        }
    }

    void Set(AccountId account, string filter, int count)
    {
        var group = Topic.SplitShared(filter).Group;
        var wanted = Math.Clamp(count, 0, group is null ? 1 : WeightMax);
        if (!subscriptions.TryGetValue((account, filter), out var mine))
            subscriptions[(account, filter)] = mine = [];
        if (!nodes.TryGetValue(account, out var node))
            nodes[account] = node = new(account, queue);
        var space = broker.TopicsOf(account);
        for (; mine.Count < wanted; space.Add(mine[^1]))
            mine.Add(new(node, filter) { Group = group, QoS = 2, RetainAsPublished = true });
        for (; mine.Count > wanted; mine.RemoveAt(mine.Count - 1))
            space.Remove(mine[^1]);
        if (wanted == 0)
            subscriptions.Remove((account, filter));
    }
}
