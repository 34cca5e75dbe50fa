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

    /// <summary>Delivers a PUBLISH of QoS 0 as its publisher wrote it.</summary>
    /// <param name="source">The publisher, see <see cref="WriteSource"/>; read only where somebody wants to know.</param>
    public void Take(ReadOnlySpan<byte> account, MqttVersion version, ReadOnlySpan<byte> source, ReadOnlySpan<byte> packet, FlushList flush)
    {
        var known = Find(account);
        if (!Frame.TryRead(ref packet, int.MaxValue, out var frame))
            throw new MalformedPacketException(ReasonCode.MalformedPacket, "Another node forwarded a part of a packet.");
        var publish = PublishPacket.Read(frame, version);
        var topic = known.Topics.Find(publish.Topic);
        var route = topic.RouteIn(known.Space);
        if (!route.IsPlainHere || known.Space.Recording is not null)
        {
            broker.Accept(known.Account, Message(publish, topic.Name, source), direct: true, null, null, default, flush)?.Deliver(flush);
            return;
        }
        var encoded = new EncodedPublish(scratch, topic.Name, publish, frame, version);
        foreach (var target in route.Targets)
        {
            if (target.Subscriber is Session session)
                session.Forward(topic.Name, ref encoded, flush);
        }
    }

    Message Message(in PublishPacket publish, string topic, ReadOnlySpan<byte> source)
    {
        var reader = new PacketReader(source);
        return new()
        {
            Topic = topic,
            Payload = publish.Payload.ToArray(),
            QoS = 0,
            Properties = Broker.Message.Forwardable(publish.Properties),
            Source = new(reader.String(), reader.String()),
            Received = broker.Time.GetUtcNow(),
        };
    }

    public static void WriteSource(PacketBuffer buffer, MessageSource source)
    {
        buffer.String(source.ClientId);
        buffer.String(source.PrincipalArn);
    }

    public void Dispose() => scratch.Dispose();
}
