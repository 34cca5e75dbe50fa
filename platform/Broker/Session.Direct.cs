namespace Althing.Broker;

/// <summary>Messages to the client itself, which it need not have subscribed to.</summary>
sealed partial class Session
{
    /// <summary>Sends the message over the present connection; nothing waits for a client that is away.</summary>
    /// <returns>Null when it was sent, else what kept it back.</returns>
    public DirectOutcome? SendDirect(Message message, FlushList flush)
    {
        lock (gate)
        {
            if (connection is not { } live)
                return DirectOutcome.NotConnected;
            if (!live.MayReceive(message.Topic))
                return DirectOutcome.NotAllowed;
            var target = new Target(this, message.QoS, NoLocal: false, RetainAsPublished: false, Identifiers: null);
            if (!live.Fits(message, target))
                return DirectOutcome.TooLarge;
            if (message.QoS == 0)
                live.SendQoS0(message, target, flush);
            else if (onWire < live.ReceiveMaximum && queue.Count == 0 && !inflight.HasUnsent)
                Send(live, message, target, maybeSent: false, flush);
            else
                return DirectOutcome.Busy;
            return null;
        }
    }
}
