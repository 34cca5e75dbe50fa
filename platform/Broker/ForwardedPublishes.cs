using System.Text;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>
/// Takes what other nodes forward for this node's clients, by one reader at a time. Hot path: topics that come again and again are neither
/// decoded nor routed anew.
/// </summary>
sealed class ForwardedPublishes(MqttBroker broker) : IDisposable
{
    const int TopicsKnown = 4096;

    /// <summary>An account as its bytes name it.</summary>
    sealed record Known(byte[] Utf8, AccountId Account, AccountTopics Space, KnownTopics Topics);

    readonly Dictionary<AccountId, Known> accounts = [];
    readonly PacketBuffer scratch = new();
    Known? last;

    public AccountId AccountOf(ReadOnlySpan<byte> utf8) => Find(utf8).Account;

    Known Find(ReadOnlySpan<byte> utf8)
    {
        if (last is { } same && utf8.SequenceEqual(same.Utf8))
            return same;
        var account = AccountId.FromStorage(Encoding.UTF8.GetString(utf8));
        if (!accounts.TryGetValue(account, out var known))
            accounts[account] = known = new(utf8.ToArray(), account, broker.TopicsOf(account), new(broker.Options, broker.Served, TopicsKnown));
        return last = known;
    }

    /// <summary>Delivers PUBLISH packets of QoS 0 or 1, not retained, as their publisher wrote them.</summary>
    /// <param name="source">The publisher, see <see cref="WriteSource"/>; read only where somebody wants to know.</param>
    /// <param name="formerly">Only sessions adopted from this node get them.</param>
    /// <param name="kept">Gets those that must be on disk before they count as taken.</param>
    public void Take(
        ReadOnlySpan<byte> account, MqttVersion version, ReadOnlySpan<byte> source, ReadOnlySpan<byte> packets, string? formerly, FlushList flush,
        List<ExactlyOnce> kept)
    {
        var known = Find(account);
        MessageSource? publisher = null;
        while (!packets.IsEmpty)
        {
            var ahead = packets;
            if (!Frame.TryRead(ref packets, int.MaxValue, out var frame))
                throw new MalformedPacketException(ReasonCode.MalformedPacket, "Another node forwarded a part of a packet.");
            var publish = PublishPacket.Read(frame, version);
            var topic = known.Topics.Find(publish.Topic);
            if (publish.QoS == 0)
            {
                // A session that had it from its dead node has had it; QoS 0 is not sent again.
                if (formerly is null)
                    packets = ahead[TakeRun(known, topic, version, ref publisher, source, publish, frame, ahead, flush)..];
                continue;
            }
            var message = Message(publish, topic.Name, publisher ??= ReadSource(source));
            if (formerly is null && known.Space.Recording is null && MqttBroker.DeliverHere(topic.RouteIn(known.Space), message, flush))
                continue;
            if (broker.Accept(known.Account, message, direct: true, null, formerly, default, flush) is not { } accepted)
                continue;
            accepted.Deliver(flush);
            kept.Add(accepted);
        }
    }

    /// <returns>How many bytes it has.</returns>
    int TakeRun(
        Known known, KnownTopic topic, MqttVersion version, ref MessageSource? publisher, ReadOnlySpan<byte> source, scoped in PublishPacket publish, scoped in Frame frame,
        ReadOnlySpan<byte> ahead, FlushList flush)
    {
        var route = topic.RouteIn(known.Space);
        if (!route.IsPlainHere || known.Space.Recording is not null)
        {
            broker.Accept(known.Account, Message(publish, topic.Name, publisher ??= ReadSource(source)), direct: true, null, null, default, flush)?.Deliver(flush);
            return frame.Whole.Length;
        }
        var run = publish.Properties is null ? PublishRun.Read(ahead, frame, publish, int.MaxValue) : PublishRun.Of(frame, publish);
        var encoded = new EncodedPublish(scratch, topic.Name, publish, run, version);
        foreach (var target in route.Targets)
        {
            if (target.Subscriber is Session session)
                session.Forward(topic.Name, ref encoded, flush);
        }
        return run.Bytes.Length;
    }

    Message Message(in PublishPacket publish, string topic, MessageSource source) => new()
    {
        Topic = topic,
        Payload = publish.Payload.ToArray(),
        QoS = publish.QoS,
        Properties = Broker.Message.Forwardable(publish.Properties),
        Source = source,
        Received = broker.Time.GetUtcNow(),
    };

    static MessageSource ReadSource(ReadOnlySpan<byte> source)
    {
        var reader = new PacketReader(source);
        return new(reader.String(), reader.String());
    }

    public static void WriteSource(PacketBuffer buffer, MessageSource source)
    {
        buffer.String(source.ClientId);
        buffer.String(source.PrincipalArn);
    }

    public void Dispose() => scratch.Dispose();
}
