namespace Althing.Broker;

/// <summary>
/// A QoS 2 message with whom it goes to. It is delivered when it is on disk, not before: after a crash its sender sends it again, and then
/// nobody may have had it already.
/// </summary>
sealed class ExactlyOnce(Message message, Target[] targets, Task durable)
{
    public Message Message { get; } = message;
    public Task Durable { get; } = durable;

    public void Deliver(FlushList flush)
    {
        foreach (var target in targets)
            target.Subscriber.Deliver(Message, target, flush);
    }
}
