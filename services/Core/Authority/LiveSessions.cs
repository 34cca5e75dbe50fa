namespace Althing.Core.Authority;

/// <summary>
/// The connected devices of one account by what concerns them. Connections are held weakly: the broker owns them, and what it lets go is
/// swept out here.
/// </summary>
sealed class LiveSessions
{
    const int SweepMin = 256;

    readonly Lock gate = new();
    readonly Dictionary<string, List<WeakReference<ConnectedDevice>>> byKey = new(StringComparer.Ordinal);
    int references;
    int sweepAt = SweepMin;

    /// <summary>Adds a device under a key; false when it was there.</summary>
    public bool Add(string key, ConnectedDevice device)
    {
        lock (gate)
        {
            if (!byKey.TryGetValue(key, out var list))
                byKey[key] = list = [];
            if (list.Exists(r => r.TryGetTarget(out var d) && ReferenceEquals(d, device)))
                return false;
            list.RemoveAll(r => !r.TryGetTarget(out _));
            list.Add(new(device));
            if (++references >= sweepAt)
                Sweep();
            return true;
        }
    }

    public void Remove(string key, ConnectedDevice device)
    {
        lock (gate)
        {
            if (!byKey.TryGetValue(key, out var list))
                return;
            list.RemoveAll(r => !r.TryGetTarget(out var d) || ReferenceEquals(d, device));
            if (list.Count == 0)
                byKey.Remove(key);
        }
    }

    public bool Has(string key)
    {
        lock (gate)
            return byKey.ContainsKey(key);
    }

    public IReadOnlyList<ConnectedDevice> Of(string key)
    {
        lock (gate)
            return byKey.TryGetValue(key, out var list) ? Living(list) : [];
    }

    public IReadOnlyList<ConnectedDevice> All()
    {
        lock (gate)
            return [.. byKey.Where(k => k.Key.StartsWith("principal/", StringComparison.Ordinal)).SelectMany(k => Living(k.Value))];
    }

    // Each time the number has doubled since the last time; so each addition pays a constant share.
    void Sweep()
    {
        references = 0;
        foreach (var (key, list) in byKey)
        {
            list.RemoveAll(r => !r.TryGetTarget(out _));
            references += list.Count;
            if (list.Count == 0)
                byKey.Remove(key);
        }
        sweepAt = Math.Max(SweepMin, references * 2);
    }

    static List<ConnectedDevice> Living(List<WeakReference<ConnectedDevice>> list) =>
        [.. list.Select(r => r.TryGetTarget(out var device) ? device : null).OfType<ConnectedDevice>()];
}
