using System.Runtime.InteropServices;

namespace Althing.Core.Authority;

/// <summary>
/// The connected devices of one account by what concerns them. Connections are held weakly: the broker owns them, and what it lets go is
/// swept out here.
/// </summary>
sealed class LiveSessions
{
    const int SweepMin = 256;

    readonly Lock gate = new();

    /// <summary>A reference to the one device that most keys have, or a set of them.</summary>
    readonly Dictionary<string, object> byKey = new(StringComparer.Ordinal);
    int references;
    int sweepAt = SweepMin;

    /// <summary>Adds a device under a key; false when it was there.</summary>
    public bool Add(string key, ConnectedDevice device)
    {
        lock (gate)
        {
            ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(byKey, key, out _);
            if (entry is HashSet<WeakReference<ConnectedDevice>> several)
            {
                if (!several.Add(device.Weakly))
                    return false;
            }
            else if (entry is WeakReference<ConnectedDevice> one)
            {
                if (one == device.Weakly)
                    return false;
                entry = new HashSet<WeakReference<ConnectedDevice>> { one, device.Weakly };
            }
            else
            {
                entry = device.Weakly;
            }
            if (++references >= sweepAt)
                Sweep();
            return true;
        }
    }

    public void Remove(string key, ConnectedDevice device)
    {
        lock (gate)
        {
            if (!byKey.TryGetValue(key, out var entry))
                return;
            var several = entry as HashSet<WeakReference<ConnectedDevice>>;
            if (several is null ? entry != device.Weakly : !several.Remove(device.Weakly))
                return;
            references--;
            if (several is null or { Count: 0 })
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
        foreach (var (key, entry) in byKey)
        {
            (entry as HashSet<WeakReference<ConnectedDevice>>)?.RemoveWhere(r => !r.TryGetTarget(out _));
            var living = Living(entry).Count;
            references += living;
            if (living == 0)
                byKey.Remove(key);
        }
        sweepAt = Math.Max(SweepMin, references * 2);
    }

    static List<ConnectedDevice> Living(object entry) => entry is WeakReference<ConnectedDevice> one
        ? one.TryGetTarget(out var only) ? [only] : []
        : [.. ((HashSet<WeakReference<ConnectedDevice>>)entry).Select(r => r.TryGetTarget(out var device) ? device : null).OfType<ConnectedDevice>()];
}
