namespace Althing.Core.Authority;

/// <summary>
/// The connected devices of one account by what concerns them. Connections are held weakly: the broker owns them, and what it lets go is
/// swept out here.
/// </summary>
sealed class LiveSessions
{
    const int SweepMin = 256;

    readonly Lock gate = new();
    readonly Dictionary<string, HashSet<WeakReference<ConnectedDevice>>> byKey = new(StringComparer.Ordinal);
    int references;
    int sweepAt = SweepMin;

    /// <summary>Adds a device under a key; false when it was there.</summary>
    public bool Add(string key, ConnectedDevice device)
    {
        lock (gate)
        {
            if (!byKey.TryGetValue(key, out var devices))
                byKey[key] = devices = [];
            if (!devices.Add(device.Weakly))
                return false;
            if (++references >= sweepAt)
                Sweep();
            return true;
        }
    }

    public void Remove(string key, ConnectedDevice device)
    {
        lock (gate)
        {
            if (!byKey.TryGetValue(key, out var devices))
                return;
            if (devices.Remove(device.Weakly))
                references--;
            if (devices.Count == 0)
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
            return byKey.TryGetValue(key, out var devices) ? Living(devices) : [];
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
        foreach (var (key, devices) in byKey)
        {
            devices.RemoveWhere(r => !r.TryGetTarget(out _));
            references += devices.Count;
            if (devices.Count == 0)
                byKey.Remove(key);
        }
        sweepAt = Math.Max(SweepMin, references * 2);
    }

    static List<ConnectedDevice> Living(HashSet<WeakReference<ConnectedDevice>> devices) =>
        [.. devices.Select(r => r.TryGetTarget(out var device) ? device : null).OfType<ConnectedDevice>()];
}
