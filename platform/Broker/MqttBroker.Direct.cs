using Althing.Storage;

namespace Althing.Broker;

/// <summary>What became of a message to one client.</summary>
public enum DirectOutcome
{
    /// <summary>It went to the client, which was not asked to confirm it.</summary>
    Sent,

    /// <summary>The client acknowledged it.</summary>
    Confirmed,

    /// <summary>The client has no connection; nothing was kept for it.</summary>
    NotConnected,

    /// <summary>The client's policies do not allow <c>iot:Receive</c> on the topic.</summary>
    NotAllowed,

    /// <summary>The client takes no packets of this size.</summary>
    TooLarge,

    /// <summary>The client has not acknowledged as many messages as it may leave unacknowledged.</summary>
    Busy,

    /// <summary>No acknowledgement came in time.</summary>
    NotConfirmed,
}

public sealed partial class MqttBroker
{
    /// <summary>Sends a message to one connected client, which needs no subscription for it ("Direct Messaging").</summary>
    /// <param name="patience">How long to wait for the client's acknowledgement; null not to ask for one.</param>
    public async ValueTask<DirectOutcome> SendDirect(AccountId account, string clientId, OutgoingMessage message, TimeSpan? patience, CancellationToken cancel) =>
        await Elsewhere(account, clientId, cancel) is { } node
            ? await Cluster!.Ask<DirectOutcome>(node, ClientQuestion.Direct, new(account.Value, clientId) { Message = message, Patience = patience })
            : await SendDirectHere(account, clientId, message, patience, cancel);

    async ValueTask<DirectOutcome> SendDirectHere(AccountId account, string clientId, OutgoingMessage message, TimeSpan? patience, CancellationToken cancel)
    {
        if (Sessions.Find(account, clientId) is not { } session)
            return DirectOutcome.NotConnected;
        var confirmed = patience is null ? null : new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var direct = Message.From(message with { QoS = patience is null ? 0 : 1, Retain = false }, null, time.GetUtcNow(), confirmed);
        var flush = new FlushList();
        var keptBack = session.SendDirect(direct, flush);
        flush.Flush();
        if (keptBack is { } why)
            return why;
        if (confirmed is null)
            return DirectOutcome.Sent;
        try
        {
            await confirmed.Task.WaitAsync(patience!.Value, time, cancel);
            return DirectOutcome.Confirmed;
        }
        catch (TimeoutException)
        {
            return DirectOutcome.NotConfirmed;
        }
    }
}
