using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>Another node's clients as one subscriber of an account's topics: a message goes there once, whatever their number.</summary>
sealed class RemoteNode(AccountId account, IPeerQueue queue) : Subscriber
{
    public IPeerQueue Queue => queue;

    /// <summary>Takes messages of QoS 0; for others the publisher's acknowledgement must wait: see <see cref="Send"/>.</summary>
    public override void Deliver(Message message, in Target target, FlushList flush)
    {
        if (message.QoS == 0)
            _ = queue.Send(account, message, target.Group is null, target.Group, null);
    }

    /// <summary>Takes PUBLISH packets of QoS 0 that nothing must be changed in.</summary>
    public void Forward(ref EncodedPublish publish, MessageSource source)
    {
        var bytes = publish.ForNode(out var version);
        queue.Forward(account, version, source, bytes);
    }

    /// <summary>Takes a PUBLISH of QoS 1 as its publisher wrote it; see <see cref="IPeerQueue.PassOn"/>.</summary>
    public Task PassOn(MqttVersion version, MessageSource source, ReadOnlySpan<byte> publish) => queue.PassOn(account, version, source, publish);

    /// <summary>Queues a message of QoS 1 or 2 and answers when the other node has it durably.</summary>
    public Task Send(Message message, in Target target, Task? after) => queue.Send(account, message, target.Group is null, target.Group, after);
}
