using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Broker;

/// <summary>SUBSCRIBE and UNSUBSCRIBE.</summary>
sealed partial class MqttConnection
{
    async Task Subscribe(SubscribePacket packet)
    {
        var (mine, space) = (session!, broker.TopicsOf(Account));
        var reasons = new ReasonCode[packet.Entries.Count];
        string? why = null;
        List<(SubscribeEntry Entry, bool IsNew)> granted = [];
        for (var i = 0; i < reasons.Length; i++)
        {
            var entry = packet.Entries[i];
            (reasons[i], var refusal) = Judge(entry, i, mine);
            why ??= refusal;
            if (reasons[i] >= ReasonCode.UnspecifiedError)
            {
                mine.Refused(entry.Filter, refusal ?? reasons[i].ToString());
                continue;
            }
            var subscription = new Subscription(mine, entry.Filter)
            {
                Group = Topic.SplitShared(entry.Filter).Group,
                QoS = Math.Min(entry.QoS, Options.QoSMax),
                NoLocal = entry.NoLocal,
                RetainAsPublished = entry.RetainAsPublished,
                Identifier = packet.Properties?.SubscriptionIdentifiers is [var id, ..] ? id : null,
            };
            var before = mine.Put(subscription);
            space.Replace(before, subscription);
            granted.Add((entry, before is null));
        }
        if (granted.Count > 0 && mine.IsPersistent)
            await Kept(broker.Sessions.Save(mine, connected: true));
        if (broker.Cluster is { } cluster)
        {
            await cluster.Announced();
            RefuseUnlessStanding();
        }
        Answer(PacketType.SubAck, new(packet.PacketId, reasons, why));
        foreach (var (entry, isNew) in granted)
            await SendRetained(entry, isNew, space, mine);
        if (granted.Count > 0)
            broker.Events.Subscribed(this, mine, [.. granted.Select(g => g.Entry.Filter)]);
    }

    (ReasonCode Reason, string? Why) Judge(SubscribeEntry entry, int index, Session mine)
    {
        if (index >= Options.FiltersPerSubscribeMax)
            return (ReasonCode.QuotaExceeded, $"SUBSCRIBE has more than {Options.FiltersPerSubscribeMax} topic filters.");
        if (mine.FindSubscription(entry.Filter) is null && mine.SubscriptionCount >= Options.SubscriptionsMax)
            return (ReasonCode.QuotaExceeded, $"The session has {Options.SubscriptionsMax} subscriptions, which is the most.");
        if (TopicRules.WhyNotSubscribe(entry.Filter, Options) is { } why)
            return (ReasonCode.TopicFilterInvalid, why);
        var (group, filter) = Topic.SplitShared(entry.Filter);
        if (group is not null && entry.NoLocal)
            throw new MalformedPacketException(ReasonCode.ProtocolError, "A shared subscription cannot be 'no local'. [MQTT-3.8.3-4]");
        if (device!.Allows(DeviceAction.Subscribe, filter))
            return ((ReasonCode)Math.Min(entry.QoS, Options.QoSMax), null);
        broker.Metrics.Denied(DeviceAction.Subscribe);
        return (ReasonCode.NotAuthorized, $"Its policies do not allow subscribing to {filter}.");
    }

    /// <summary>Sends SUBACK or UNSUBACK; without its reason string where that makes it too large or is not wanted. [MQTT-3.9.2-1]</summary>
    void Answer(PacketType type, SubAckPacket packet)
    {
        using var buffer = new PacketBuffer(64);
        (wantsReasons ? packet : packet with { Why = null }).Write(buffer, type, version);
        if (buffer.Length > clientPacketMax && packet.Why is not null)
        {
            buffer.Clear();
            (packet with { Why = null }).Write(buffer, type, version);
        }
        if (buffer.Length > clientPacketMax)
            throw new MalformedPacketException(ReasonCode.PacketTooLarge, $"The answer to its packet has {buffer.Length} bytes; it takes {clientPacketMax}.");
        output.TryAdd(buffer.Written.Span, flush, mayDrop: false);
    }

    /// <summary>Retained messages do not come for shared subscriptions, nor again when the client says so. [MQTT-3.3.1-10, MQTT-3.3.1-11]</summary>
    async ValueTask SendRetained(SubscribeEntry entry, bool isNew, AccountTopics space, Session mine)
    {
        if (entry.RetainHandling == RetainHandling.DoNotSend || (entry.RetainHandling == RetainHandling.SendIfNew && !isNew) || Topic.SplitShared(entry.Filter).Group is not null)
            return;
        var now = broker.Time.GetUtcNow();
        var identifiers = mine.FindSubscription(entry.Filter)?.Identifier is { } id ? new[] { id } : null;
        List<ExactlyOnce> logged = [];
        foreach (var message in space.Retained(entry.Filter, Options.RetainedOnWildcards))
        {
            if (message.IsExpired(now))
                continue;
            var target = new Target(mine, Math.Min(entry.QoS, Options.QoSMax), false, RetainAsPublished: true, identifiers);
            if (mine.IsPersistent && Math.Min(target.QoS, message.QoS) > 0)
                logged.Add(broker.PrepareFor(Account, Message.Unlogged(message), target));
            else
                mine.Deliver(message, target, flush);
        }
        foreach (var delivery in logged)
        {
            await Kept(delivery.Durable);
            delivery.Deliver(flush);
        }
    }

    async Task Unsubscribe(UnsubscribePacket packet)
    {
        var (mine, space) = (session!, broker.TopicsOf(Account));
        List<string> removed = [];
        var reasons = new ReasonCode[packet.Filters.Count];
        for (var i = 0; i < reasons.Length; i++)
        {
            if (mine.Take(packet.Filters[i]) is not { } subscription)
            {
                reasons[i] = ReasonCode.NoSubscriptionExisted;
                continue;
            }
            space.Remove(subscription);
            removed.Add(subscription.Filter);
        }
        if (removed.Count > 0 && mine.IsPersistent)
            await Kept(broker.Sessions.Save(mine, connected: true));
        Answer(PacketType.UnsubAck, new(packet.PacketId, reasons));
        if (removed.Count > 0)
            broker.Events.Unsubscribed(this, mine, removed);
    }
}
