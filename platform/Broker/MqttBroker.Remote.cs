using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>Messages to and from the other nodes of a cluster.</summary>
public sealed partial class MqttBroker
{
    Batch Guarded(Batch batch) => Cluster is null ? batch : Cluster.Guard(batch);

    /// <summary>
    /// Queues a message of QoS 1 or 2 for the nodes whose clients get it, and a retained one for all. Completes when those nodes have it durably.
    /// </summary>
    static ValueTask Forward(IBrokerCluster cluster, AccountId account, Message message, IReadOnlyList<Target> targets, Task? after)
    {
        ValueTask forwarded = default;
        if (message.QoS > 0)
        {
            for (var i = 0; i < targets.Count; i++)
            {
                if (targets[i].Subscriber is RemoteNode remote)
                    forwarded = Combine(forwarded, new(remote.Send(message, targets[i], after)));
            }
        }
        if (!message.Retain || message.Topic[0] == '$')
            return forwarded;
        foreach (var peer in cluster.Peers)
        {
            if (!targets.Any(t => t.Subscriber is RemoteNode remote && remote.Queue == peer))
                forwarded = Combine(forwarded, new(peer.Send(account, message, direct: false, group: null, after)));
        }
        return forwarded;
    }

    /// <summary>Has the log owe a QoS 2 message to the nodes that must get it, so that it reaches them even if this one dies meanwhile.</summary>
    static List<string>? OweNodes(AccountId account, List<Target> targets, List<Share> shares)
    {
        List<string>? away = null;
        foreach (var target in targets)
        {
            if (target.Subscriber is not RemoteNode remote)
                continue;
            var key = new NodeDebt(remote.Queue.Node, account, target.Group ?? "", "", 0).Key;
            (away ??= []).Add(key);
            shares.Add(new(key, 0));
        }
        return away;
    }

    async Task Forwarded(Task durable, ValueTask forwarded, long logId, List<string>? away)
    {
        await durable;
        await forwarded;
        foreach (var key in away ?? [])
            Log.Acknowledge(logId, key);
    }

    /// <summary>Sends another node what an earlier life of this one, or a dead node, owed it.</summary>
    internal async Task SendAgain(long logId, NodeDebt debt)
    {
        try
        {
            if (Cluster is not { } cluster || (await Log.Load([logId]))[0] is not { } message)
                return;
            await cluster.SendAgain(debt.Node, debt.Account, message, debt.Group, debt.Origin.Length > 0 ? debt.Origin : cluster.Node, debt.Origin.Length > 0 ? debt.Id : logId);
            Log.Acknowledge(logId, debt.Key);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogUnpublished(log, "another node", failure);
        }
    }

    /// <summary>
    /// Takes a message from another node: for this node's clients alone, and readied only. The caller delivers it when it is on disk.
    /// </summary>
    /// <param name="direct">This node's own subscriptions get it.</param>
    /// <param name="group">The shared subscription one of whose members here gets it.</param>
    /// <param name="formerly">Only sessions adopted from this node get it: it was sent there, and nobody said that it came.</param>
    /// <param name="origin">The node whose log has it, and its number there, by which a QoS 2 message that comes again is known.</param>
    /// <returns>Null when all is done: nothing had to be put on disk.</returns>
    internal ExactlyOnce? Accept(AccountId account, Message message, bool direct, string? group, string? formerly, (string Node, long Id) origin, FlushList flush)
    {
        if (direct && group is null && formerly is null && DeliverHere(account, message, flush))
            return null;
        var receipt = message.QoS == 2 && origin.Id != 0 ? new NodeDebt(formerly ?? Cluster!.Node, account, group ?? "", origin.Node, origin.Id).Key : null;
        if (receipt is not null && !Taken.TryTake(receipt))
            return new(message, [], Task.CompletedTask);
        var space = TopicsOf(account);
        if (message.Retain && message.Topic[0] != '$' && !(space.RetainedOf(message.Topic)?.Received > message.Received))
            space.SetRetained(Retained.CopyOf(message));
        if (!direct && group is null)
            return new(message, [], Task.CompletedTask);
        var route = space.RouteOf(message.Topic);
        message.Record = space.Recording?.Begin(message, route);
        List<Target> targets = [];
        List<Share> shares = [];
        Task? passedOn = null;
        foreach (var target in direct ? route.Targets : [])
        {
            if (IsMeant(target.Subscriber, formerly))
                Choose(message, target with { QoS = Math.Min(target.QoS, message.QoS) }, null, targets, shares);
        }
        if (group is not null && Array.Find(route.Groups, g => g.Filter == group) is { } shared)
        {
            if (shared.PickHere() is { } member)
                Choose(message, member with { QoS = Math.Min(member.QoS, message.QoS) }, null, targets, shares);
            else if (shared.Pick() is { Subscriber: RemoteNode other } elsewhere)
                passedOn = other.Send(message, elsewhere, null);
        }
        var appended = shares.Count == 0 ? new(0, Task.CompletedTask) : Log.Append(account, message, shares, receipt is null ? null : new Receipt(receipt, 0));
        if (receipt is not null && appended.Id != 0)
        {
            Taken.Keep(receipt, appended.Id);
            // Not on disk, it has not come: it may come again.
            _ = appended.Durable.ContinueWith((_, key) => Taken.Forget((string)key!), receipt, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }
        var durable = appended.Durable;
        return new(message, [.. targets], passedOn is null ? durable : Task.WhenAll(durable, passedOn));
    }

    /// <summary>Delivers a message that no session here must keep; false when one must, or somebody wants to know who gets it.</summary>
    bool DeliverHere(AccountId account, Message message, FlushList flush)
    {
        var space = TopicsOf(account);
        if (message.QoS == 2 || message.Retain || space.Recording is not null)
            return false;
        return DeliverHere(space.RouteOf(message.Topic), message, flush);
    }

    /// <summary>The same of a message of QoS 0 or 1 that is not retained, whose route is known.</summary>
    internal static bool DeliverHere(Route route, Message message, FlushList flush)
    {
        if (message.QoS == 1 && Array.Exists(route.Targets, static t => t.QoS > 0 && t.Subscriber is Session { IsPersistent: true }))
            return false;
        foreach (var target in route.Targets)
        {
            if (IsMeant(target.Subscriber, null))
                target.Subscriber.Deliver(message, target, flush);
        }
        return true;
    }

    static bool IsMeant(Subscriber subscriber, string? formerly) => subscriber switch
    {
        RemoteNode or LocalSubscriber { IsEverywhere: false } => false,
        Session session => formerly is null || session.AdoptedFrom == formerly,
        _ => formerly is null,
    };

    async Task RelinquishWhen(Task sent, Session from, Message message, ushort packetId)
    {
        try
        {
            await sent;
            from.Relinquish(message, packetId);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogUnpublished(log, message.Topic, failure);
        }
    }

    /// <summary>Another node may have put a message there that is not expired.</summary>
    async Task SweepShared(AccountId account, string topic)
    {
        if (await store.Get(RetainedRecord.Table, account, topic, stopping.Token) is not { } row || !(row.Value.Expires <= time.GetUtcNow()))
            return;
        try
        {
            await store.Commit(Guarded(new()).Delete(RetainedRecord.Table, row), stopping.Token);
        }
        catch (StorageConflictException)
        {
            // Somebody put another one there.
        }
    }

    /// <summary>Ends all connections without a word of what is not acknowledged: this node is not one of the cluster any more.</summary>
    internal Task CutOff() => Task.WhenAll(Sessions.Live.Select(c => c.Close(ReasonCode.ServerUnavailable, DisconnectReasons.ServerError)));
}
