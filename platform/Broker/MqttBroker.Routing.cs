using Althing.Storage;

namespace Althing.Broker;

/// <summary>From a message to its receivers.</summary>
public sealed partial class MqttBroker
{
    /// <summary>
    /// Gives a message of QoS 0 or 1 to everybody who subscribed. The task completes when all that must be on disk is; deliveries are queued
    /// before it does.
    /// </summary>
    internal ValueTask Route(AccountId account, Message message, MqttConnection? publisher, FlushList flush)
    {
        var space = TopicsOf(account);
        var durable = Combine(message.Retain ? KeepRetained(account, space, message) : default, Served.Serve(account, message));
        var route = space.RouteOf(message.Topic);
        message.Record = space.Recording?.Begin(message, route);
        if (message.QoS > 0)
            durable = Combine(durable, LogFor(account, message, publisher?.Session, route, out route));
        if (Cluster is { } cluster)
            durable = Combine(durable, Forward(cluster, account, message, route.Targets, after: null));
        foreach (var target in route.Targets)
            Deliver(message, target, publisher, flush);
        foreach (var group in route.Groups)
            Deliver(message, group.Pick(), publisher, flush);
        return durable;
    }

    static void Deliver(Message message, in Target target, MqttConnection? publisher, FlushList flush)
    {
        if (!IsOwn(target, publisher?.Session))
            target.Subscriber.Deliver(message, target, flush);
        else
            message.Record?.Note(target.Subscriber, DeliveryOutcome.NoLocal, 0);
    }

    /// <summary>A 'no local' subscription does not get what its own client publishes. [MQTT-3.8.3-3]</summary>
    static bool IsOwn(in Target target, Session? publisher) => target.NoLocal && publisher is not null && target.Subscriber == publisher;

    /// <summary>Logs the message when a persistent session will get it. Members of shared subscriptions are picked here, once.</summary>
    ValueTask LogFor(AccountId account, Message message, Session? publisher, Route route, out Route picked)
    {
        picked = route;
        if (route.Groups.Length > 0)
            picked = new(route.Version, [.. route.Targets, .. route.Groups.Select(g => g.Pick())], []);
        var shares = sharesOfThread ??= [];
        shares.Clear();
        List<Target>? full = null;
        foreach (var target in picked.Targets)
        {
            if (target.QoS == 0 || target.Subscriber is not Session { IsPersistent: true } session || IsOwn(target, publisher))
                continue;
            if (session.HasRoom(message))
                shares.Add(new(session.Key, 0));
            else
                (full ??= []).Add(target);
        }
        if (full is not null)
            picked = Without(full, picked, message);
        return shares.Count == 0 ? default : new(Log.Append(account, message, shares, null).Durable);
    }

    [ThreadStatic]
    static List<Share>? sharesOfThread;

    /// <summary>Those whose queues are full do not get it; when nobody else is to keep it, its publisher is told.</summary>
    static Route Without(List<Target> full, Route route, Message message)
    {
        var rest = new Route(route.Version, [.. route.Targets.Where(t => !full.Exists(f => f.Subscriber == t.Subscriber))], route.Groups);
        message.IsRefused = !Array.Exists(rest.Targets, t => t.QoS > 0);
        return rest;
    }

    /// <summary>
    /// Readies a QoS 2 message: chooses who gets it and puts it into the log, with the sender's identifier in the same record. The caller
    /// delivers it when it is on disk.
    /// </summary>
    /// <param name="publisher">The session that sent it; null when a client did not.</param>
    /// <param name="receipt">The identifier the sender gave it.</param>
    internal ExactlyOnce Prepare(AccountId account, Message message, Session? publisher, ushort receipt)
    {
        var space = TopicsOf(account);
        var kept = Combine(message.Retain ? KeepRetained(account, space, message) : default, Served.Serve(account, message));
        var route = space.RouteOf(message.Topic);
        message.Record = space.Recording?.Begin(message, route);
        List<Target> targets = [];
        List<Share> shares = [];
        var full = 0;
        foreach (var target in route.Targets)
            full += Choose(message, target, publisher, targets, shares) ? 0 : 1;
        foreach (var group in route.Groups)
            full += Choose(message, group.Pick(), publisher, targets, shares) ? 0 : 1;
        // Somebody had no room, and nobody else keeps it.
        if (full > 0 && !targets.Exists(t => t.QoS > 0))
        {
            message.IsRefused = true;
            return new(message, [.. targets], kept.IsCompletedSuccessfully ? Task.CompletedTask : kept.AsTask());
        }
        var away = Cluster is null ? null : OweNodes(account, targets, shares);
        var noted = publisher is { IsPersistent: true } ? new Receipt(publisher.Key, receipt) : (Receipt?)null;
        var appended = shares.Count == 0 && noted is null ? new(0, Task.CompletedTask)
            : Log.Append(account, shares.Count > 0 ? message : null, shares, noted);
        var durable = kept.IsCompletedSuccessfully ? appended.Durable : Task.WhenAll(kept.AsTask(), appended.Durable);
        publisher?.Remember(receipt, new(noted is null ? 0 : appended.Id, durable));
        if (Cluster is { } cluster)
            durable = Forwarded(durable, Forward(cluster, account, message, targets, durable), message.LogId, away);
        return new(message, [.. targets], durable);
    }

    /// <summary>Readies a message, a retained one, for one persistent session.</summary>
    internal ExactlyOnce PrepareFor(AccountId account, Message message, in Target target)
    {
        List<Target> targets = [];
        List<Share> shares = [];
        Choose(message, target with { QoS = Math.Min(target.QoS, message.QoS) }, null, targets, shares);
        return new(message, [.. targets], shares.Count == 0 ? Task.CompletedTask : Log.Append(account, message, shares, null).Durable);
    }

    /// <returns>False when a session that should keep it has no room.</returns>
    bool Choose(Message message, in Target target, Session? publisher, List<Target> targets, List<Share> shares)
    {
        var record = message.Record;
        if (IsOwn(target, publisher))
        {
            record?.Note(target.Subscriber, DeliveryOutcome.NoLocal, 0);
            return true;
        }
        if (target.QoS == 0 || target.Subscriber is not Session { IsPersistent: true } session)
        {
            targets.Add(target);
            return true;
        }
        if (!session.HasRoom(message))
            return false;
        var id = target.QoS == 2 ? session.ReservePacketId() : (ushort)0;
        if (target.QoS == 2 && id == 0)
        {
            Metrics.Dropped("queue-full");
            session.CountDropped();
            record?.Note(session, DeliveryOutcome.QueueFull, 0);
            return false;
        }
        targets.Add(target with { PacketId = id });
        shares.Add(new(session.Key, id));
        return true;
    }

    /// <summary>Gives messages of shared subscriptions, which their receiver cannot have any more, to others of their groups.</summary>
    /// <param name="mustBeConnected">Only to those who are there; else the message stays where it is.</param>
    internal void Redirect(Session from, IReadOnlyList<(Message Message, Target Target)> shared, bool mustBeConnected)
    {
        if (shared.Count == 0)
            return;
        var flush = new FlushList();
        foreach (var (message, target) in shared)
        {
            var group = Array.Find(TopicsOf(from.Account).RouteOf(message.Topic).Groups, g => g.Filter == target.Group);
            if (group?.PickOther(from, mustBeConnected) is { } other)
                Redirect(from, message, target, other, flush);
            else
                from.GiveBack(message, target);
        }
        flush.Flush();
    }

    void Redirect(Session from, Message message, in Target target, Target other, FlushList flush)
    {
        if (other.Subscriber is RemoteNode remote && message.QoS > 0)
        {
            _ = RelinquishWhen(remote.Send(message.LogId == 0 ? message : Message.Unlogged(message), other, null), from, message, target.PacketId);
            return;
        }
        if (other.Subscriber is not Session { IsPersistent: true } heir)
        {
            other.Subscriber.Deliver(message.LogId == 0 ? message : Message.Unlogged(message), other, flush);
            from.Relinquish(message, target.PacketId);
            return;
        }
        var exactlyOnce = Math.Min(message.QoS, other.QoS) == 2;
        other = other with { PacketId = exactlyOnce ? heir.ReservePacketId() : (ushort)0 };
        var share = new Share(heir.Key, other.PacketId);
        var moved = message.LogId == 0 ? null : Log.Move(message.LogId, from.Key, share);
        if (moved is null)
        {
            message = Message.Unlogged(message);
            moved = Log.Append(from.Account, message, [share], null).Durable;
        }
        from.HandOver(target.PacketId);
        if (exactlyOnce)
            _ = DeliverWhen(moved, message, other);
        else
            heir.Deliver(message, other, flush);
    }

    async Task DeliverWhen(Task durable, Message message, Target target)
    {
        try
        {
            await durable;
            var flush = new FlushList();
            target.Subscriber.Deliver(message, target, flush);
            flush.Flush();
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogUnpublished(log, message.Topic, failure);
        }
    }
}
