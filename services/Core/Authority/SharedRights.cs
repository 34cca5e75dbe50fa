using System.Collections.Concurrent;
using Althing.Core.Policies;
using Althing.Core.Principals;
using Althing.Core.ThingGroups;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Authority;

/// <summary>
/// The policies and thing groups that connected devices are judged by, each parsed once however many devices share it. They are held by
/// the devices' rights alone: what no connection uses any more is collected.
/// </summary>
sealed class SharedRights(IStore store)
{
    const int SweepMin = 1024;

    readonly ConcurrentDictionary<(AccountId, string), WeakReference<Shared>> all = new();
    int sweepAt = SweepMin;

    /// <summary>The policy, read unless a device holds it already.</summary>
    public async ValueTask<SharedPolicy> Policy(AccountId account, string name, CancellationToken cancel)
    {
        var policy = (SharedPolicy)Hold(account, PolicyKey(name), () => new SharedPolicy(account, name));
        await policy.Refresh(this, cancel);
        return policy;
    }

    /// <summary>The group with its policies and ancestors, read unless a device holds it already.</summary>
    public async ValueTask<SharedGroup> Group(AccountId account, string name, CancellationToken cancel)
    {
        var group = (SharedGroup)Hold(account, GroupKey(name), () => new SharedGroup(account, name));
        await group.Refresh(this, cancel);
        return group;
    }

    /// <summary>The policies attached to a target, without those of any group.</summary>
    public async ValueTask<SharedPolicy[]> PoliciesOf(AccountId account, string target, CancellationToken cancel)
    {
        var attached = await store.Scan(PolicyAttachment.Table, account, Scan.By("target", target), cancel);
        var policies = new SharedPolicy[attached.Count];
        for (var i = 0; i < policies.Length; i++)
            policies[i] = await Policy(account, attached[i].Value.PolicyName, cancel);
        return policies;
    }

    /// <summary>Marks what a change concerns as out of date; null when no connection uses it.</summary>
    public Shared? Invalidate(AccountId account, string key)
    {
        var shared = Find(account, key);
        shared?.Invalidate();
        return shared;
    }

    /// <summary>What has this key, if a connection uses it.</summary>
    public Shared? Find(AccountId account, string key) =>
        all.TryGetValue((account, key), out var reference) && reference.TryGetTarget(out var shared) ? shared : null;

    public static string PolicyKey(string name) => "policy/" + name;

    public static string GroupKey(string name) => "group/" + name;

    internal IStore Store => store;

    Shared Hold(AccountId account, string key, Func<Shared> make)
    {
        while (true)
        {
            if (all.TryGetValue((account, key), out var reference))
            {
                if (reference.TryGetTarget(out var held))
                    return held;
                all.TryRemove(new((account, key), reference));
            }
            var shared = make();
            if (!all.TryAdd((account, key), new(shared)))
                continue;
            Sweep();
            return shared;
        }
    }

    // Each time the number has doubled, the references to what was collected go.
    void Sweep()
    {
        if (all.Count < Volatile.Read(ref sweepAt))
            return;
        foreach (var entry in all)
        {
            if (!entry.Value.TryGetTarget(out _))
                all.TryRemove(entry);
        }
        Volatile.Write(ref sweepAt, Math.Max(SweepMin, all.Count * 2));
    }
}

/// <summary>Something read from storage that changes now and then.</summary>
abstract class Shared
{
    readonly Lock gate = new();
    int wanted = 1;
    int seen;

    public void Invalidate() => Interlocked.Increment(ref wanted);

    /// <summary>Reads again if it is out of date. An older reading never replaces a newer one.</summary>
    public async ValueTask Refresh(SharedRights rights, CancellationToken cancel)
    {
        while (true)
        {
            var want = Volatile.Read(ref wanted);
            if (Volatile.Read(ref seen) >= want)
                return;
            var apply = await Read(rights, cancel);
            lock (gate)
            {
                if (seen < want)
                {
                    apply();
                    seen = want;
                }
            }
        }
    }

    /// <summary>Reads the present state and answers what puts it in place.</summary>
    protected abstract ValueTask<Action> Read(SharedRights rights, CancellationToken cancel);
}

/// <summary>A policy's document in force; null when the policy is gone.</summary>
sealed class SharedPolicy(AccountId account, string name) : Shared
{
    volatile PolicyDocument? document;

    public PolicyDocument? Document => document;

    /// <summary>A policy that is not in storage under a name of its own and never changes.</summary>
    public static SharedPolicy Fixed(PolicyDocument document) => new(AccountId.Platform, "") { document = document };

    protected override async ValueTask<Action> Read(SharedRights rights, CancellationToken cancel)
    {
        var row = await rights.Store.Get(Policy.Table, account, name, cancel);
        var parsed = row is { } policy ? PolicyStore.Parse(policy.Value.Default.Document) : null;
        return () => document = parsed;
    }
}

/// <summary>A thing group's policies and its parent.</summary>
sealed class SharedGroup(AccountId account, string name) : Shared
{
    sealed record State(SharedPolicy[] Policies, SharedGroup? Parent);

    /// <summary>AWS lets a hierarchy be seven groups deep; this only ends a walk that damage made endless.</summary>
    const int DepthMax = 32;

    volatile State state = new([], null);

    public string Name => name;

    protected override async ValueTask<Action> Read(SharedRights rights, CancellationToken cancel)
    {
        var policies = await rights.PoliciesOf(account, PrincipalRef.OfGroup(name), cancel);
        var row = await rights.Store.Get(ThingGroup.Table, account, name, cancel);
        var parent = row?.Value.ParentName is { } parentName && parentName != name ? await rights.Group(account, parentName, cancel) : null;
        return () => state = new(policies, parent);
    }

    /// <summary>Adds what this group and its ancestors bring to a device's rights.</summary>
    public void AddTo(HashSet<Shared> used)
    {
        var group = this;
        for (var depth = 0; group is not null && depth < DepthMax && used.Add(group); depth++)
        {
            var (policies, parent) = group.state;
            used.UnionWith(policies);
            group = parent;
        }
    }
}
