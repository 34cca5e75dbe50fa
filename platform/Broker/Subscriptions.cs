using Althing.Mqtt;
using Althing.Sockets;

namespace Althing.Broker;

/// <summary>Whoever receives messages: a session, or a service in this process.</summary>
abstract class Subscriber
{
    /// <summary>Needs messages of QoS 1 to be on disk before their publisher is told.</summary>
    public virtual bool IsPersistent => false;

    /// <summary>Can take a message now; shared subscriptions prefer members who can.</summary>
    public virtual bool IsReady => true;

    /// <summary>Is there to take messages, though others may be before this one.</summary>
    public virtual bool IsConnected => true;

    /// <summary>Takes a message. Never blocks.</summary>
    public abstract void Deliver(Message message, in Target target, FlushList flush);
}

/// <summary>A subscription as the tree holds it.</summary>
sealed class Subscription(Subscriber owner, string filter)
{
    public Subscriber Owner { get; } = owner;

    /// <summary>The filter as the client wrote it, with any <c>$share</c> prefix.</summary>
    public string Filter { get; } = filter;
    public string? Group { get; init; }
    public int QoS { get; init; }
    public bool NoLocal { get; init; }
    public bool RetainAsPublished { get; init; }
    public int? Identifier { get; init; }
}

/// <summary>One receiver of a topic's messages, its overlapping subscriptions folded into the strongest.</summary>
readonly record struct Target(Subscriber Subscriber, int QoS, bool NoLocal, bool RetainAsPublished, IReadOnlyList<int>? Identifiers)
{
    /// <summary>The filter of the shared subscription, with its prefix, that chose this receiver; null for the receiver's own subscriptions.</summary>
    public string? Group { get; init; }

    /// <summary>The identifier that a QoS 2 message has for this receiver in the log; 0 when it is given one on sending.</summary>
    public ushort PacketId { get; init; }
}

/// <summary>Who gets the messages of one topic, as of one version of the account's subscriptions.</summary>
sealed class Route(int version, Target[] targets, SharedGroup[] groups)
{
    public int Version { get; } = version;
    public Target[] Targets { get; } = targets;

    /// <summary>Sessions and other nodes alone get it, as it was published.</summary>
    public bool IsPlain { get; } = groups.Length == 0 && IsPlainFor(targets);

    /// <summary>The same of what came from another node, which has chosen for shared subscriptions already.</summary>
    public bool IsPlainHere { get; } = IsPlainFor(targets);

    /// <summary>The other node that has all receivers; null when they are here, or on several nodes, or members of shared subscriptions.</summary>
    public RemoteNode? Elsewhere { get; } = groups.Length == 0 && targets is [{ Subscriber: RemoteNode node }] ? node : null;

    static bool IsPlainFor(Target[] targets) => targets.All(t => t.Subscriber is Session or RemoteNode && t.Identifiers is null);

    public SharedGroup[] Groups { get; } = groups;
}

/// <summary>
/// The members of a shared subscription that match a topic: each message goes to one of them, in turn. The first turn is drawn by lot, so
/// that many topics of few messages are spread as well.
/// </summary>
sealed class SharedGroup(string filter, Target[] members)
{
    int turn = Random.Shared.Next();

    public string Filter { get; } = filter;
    public IReadOnlyList<Target> Members => members;

    /// <summary>Who is there and has nothing waiting, else who is there, else anybody.</summary>
    public Target Pick()
    {
        var start = (uint)Interlocked.Increment(ref turn);
        return Find(start, null, static s => s.IsReady) ?? Find(start, null, static s => s.IsConnected) ?? members[start % members.Length];
    }

    /// <summary>A member on this node, by the same preference; null when there is none.</summary>
    public Target? PickHere()
    {
        var start = (uint)Interlocked.Increment(ref turn);
        return Find(start, null, static s => s.IsReady && s is not RemoteNode) ?? Find(start, null, static s => s.IsConnected && s is not RemoteNode)
            ?? Find(start, null, static s => s is not RemoteNode);
    }

    /// <summary>A member to take over from another one; null when there is none.</summary>
    public Target? PickOther(Subscriber from, bool mustBeConnected)
    {
        var start = (uint)Interlocked.Increment(ref turn);
        return Find(start, from, static s => s.IsReady) ?? Find(start, from, static s => s.IsConnected)
            ?? (mustBeConnected ? null : Find(start, from, static s => s.IsPersistent));
    }

    Target? Find(uint start, Subscriber? not, Func<Subscriber, bool> suits)
    {
        for (var i = 0u; i < members.Length; i++)
        {
            var member = members[(start + i) % members.Length];
            if (member.Subscriber != not && suits(member.Subscriber))
                return member;
        }
        return null;
    }
}

/// <summary>The connections that got something to send while a batch was read: each is flushed once, at the batch's end.</summary>
sealed class FlushList : ITurnEnd
{
    [ThreadStatic]
    static FlushList? turn;

    readonly List<ClientOutput> outputs = [];

    public void Add(ClientOutput output) => outputs.Add(output);

    public void Flush()
    {
        foreach (var output in outputs)
            output.Flush();
        outputs.Clear();
    }

    /// <summary>Flushes when the event loop has been through all connections that are ready, if this is a loop's thread; else at once.</summary>
    public void FlushSoon()
    {
        if (EventLoop.Current is not { } loop)
        {
            Flush();
            return;
        }
        turn ??= new();
        if (turn.outputs.Count == 0 && outputs.Count > 0)
            loop.WhenTurnEnds(turn);
        turn.outputs.AddRange(outputs);
        outputs.Clear();
    }

    public void TurnEnds() => Flush();
}

/// <summary>A service's subscription in this process.</summary>
/// <param name="isEverywhere">It gets what is published on other nodes, too.</param>
sealed class LocalSubscriber(Action<DeliveredMessage> handler, bool isEverywhere) : Subscriber
{
    public bool IsEverywhere => isEverywhere;

    public override void Deliver(Message message, in Target target, FlushList flush) => handler(message.ToDelivered());
}
