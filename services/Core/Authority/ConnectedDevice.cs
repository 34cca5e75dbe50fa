using Althing.Broker;
using Althing.Core.Logging;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Authority;

/// <summary>What one connection may do, kept up to date by <see cref="RightsKeeper"/>; judging reads memory only.</summary>
sealed class ConnectedDevice : DeviceSession
{
    readonly IotLog log;
    IDisposable? upkeep;
    volatile Judged judged = Judged.Nothing;
    volatile Rights rights = Rights.None;
    RevocationCause cause;
    int version;

    /// <summary>Everything the judgement is made from.</summary>
    /// <param name="Used">The policies and groups themselves, and their ancestors, so that a change of one finds the devices it concerns.</param>
    sealed record Judged(PolicyDocument[] Documents, Shared[] Used)
    {
        public static readonly Judged Nothing = new([], []);
    }

    public ConnectedDevice(DevicePrincipal principal, string clientId, IotLog log) : base(principal, clientId) => (this.log, Weakly) = (log, new(this));

    /// <summary>For lists that must not keep it alive.</summary>
    public WeakReference<ConnectedDevice> Weakly { get; }

    public override int Version => Volatile.Read(ref version);

    public override RevocationCause Cause => cause;

    public override void Ended() => Interlocked.Exchange(ref upkeep, Over.Instance)?.Dispose();

    /// <summary>Gives the connection something that ends with it.</summary>
    public void Keep(IDisposable something)
    {
        if (Interlocked.CompareExchange(ref upkeep, something, null) is not null)
            something.Dispose();
    }

    sealed class Over : IDisposable
    {
        public static readonly Over Instance = new();
        public void Dispose() { }
    }

    /// <summary>When the credentials end that the rights come from; null for those that do not.</summary>
    public DateTimeOffset? RightsUntil => rights.Until;

    /// <summary>The thing that the connection is bound to, if any.</summary>
    public string? ThingName => rights.ThingName;

    public override IReadOnlyList<KeyValuePair<string, string>>? Enrichment => rights.Enrichment;

    /// <summary>The groups, and their ancestors, that the bound thing is in.</summary>
    public IEnumerable<string> GroupNames => judged.Used.OfType<SharedGroup>().Select(g => g.Name);

    public bool Uses(Shared shared) => Array.IndexOf(judged.Used, shared) >= 0;

    public override bool Allows(DeviceAction action, string topic)
    {
        var (name, resource) = action switch
        {
            DeviceAction.Publish => ("iot:Publish", "topic/"),
            DeviceAction.RetainPublish => ("iot:RetainPublish", "topic/"),
            DeviceAction.Subscribe => ("iot:Subscribe", "topicfilter/"),
            DeviceAction.Receive => ("iot:Receive", "topic/"),
            _ => throw new ArgumentOutOfRangeException(nameof(action), action, "This action concerns no topic."),
        };
        var allowed = Judge(name, resource + topic);
        if (!allowed)
            log.Denied(this, action, topic);
        return allowed;
    }

    /// <summary>Takes new rights and says whether they let the device connect.</summary>
    public bool Take(Rights taken)
    {
        rights = taken;
        return Rejudge();
    }

    /// <summary>Puts the rights together anew from policies and groups as they are now; false, and revoked, when iot:Connect is not among them.</summary>
    public bool Rejudge()
    {
        var used = rights.Used();
        judged = new(Rights.DocumentsOf(used), [.. used]);
        Interlocked.Increment(ref version);
        if (Judge("iot:Connect", "client/" + ClientId))
            return true;
        Revoke();
        return false;
    }

    /// <summary>Takes all rights away and has the connection closed.</summary>
    public void Revoke(RevocationCause because = RevocationCause.NotAllowed)
    {
        cause = because;
        judged = Judged.Nothing;
        rights = Rights.None;
        Interlocked.Increment(ref version);
        EndRights();
    }

    bool Judge(string action, string resource)
    {
        var mine = rights;
        var asked = new AccessRequest(action, mine.ArnPrefix + resource, mine.Context);
        return PolicyEvaluator.Evaluate(judged.Documents, asked).Allowed && (mine.Boundary is not { } boundary || PolicyEvaluator.Evaluate(boundary, asked).Allowed);
    }
}

/// <summary>What storage says of a device's rights: its own policies, its thing's groups, the values of policy variables.</summary>
sealed record Rights(
    AccountId Account, string Region, string? ThingName, SharedPolicy[] Policies, SharedGroup[] Groups, FewPairs Context)
{
    public static readonly Rights None = new(AccountId.Platform, "", null, [], [], FewPairs.Of([]));

    /// <summary>A session policy that must allow as well; null for none.</summary>
    public IReadOnlyList<PolicyDocument>? Boundary { get; init; }

    /// <summary>When the credentials end that the rights come from; null for those that do not.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>The type of the bound thing, if it has one.</summary>
    public string? ThingTypeName { get; init; }

    /// <summary>What the thing's type says that its messages carry ("Adding propagating attributes for message enrichment"); null for nothing.</summary>
    public IReadOnlyList<KeyValuePair<string, string>>? Enrichment { get; init; }

    public string ArnPrefix { get; } = $"arn:aws:iot:{Region}:{Account}:";

    /// <summary>The policies and groups with their ancestors, and all the groups' policies.</summary>
    public HashSet<Shared> Used()
    {
        HashSet<Shared> used = [.. Policies];
        foreach (var group in Groups)
            group.AddTo(used);
        return used;
    }

    public IReadOnlyList<PolicyDocument> Documents() => DocumentsOf(Used());

    public static PolicyDocument[] DocumentsOf(HashSet<Shared> used) =>
        [.. used.OfType<SharedPolicy>().Select(p => p.Document).OfType<PolicyDocument>()];
}
