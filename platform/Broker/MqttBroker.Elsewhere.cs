using Althing.Storage;

namespace Althing.Broker;

/// <summary>Questions about a client whose session may be on another node. Without a cluster they are answered here, like all else.</summary>
public sealed partial class MqttBroker
{
    /// <summary>What is known of one client on any node; null when it has neither a connection nor a session that waits for it.</summary>
    /// <exception cref="IOException">The node that has it cannot be reached.</exception>
    public async ValueTask<ClientState?> FindState(AccountId account, string clientId, CancellationToken cancel) =>
        await Elsewhere(account, clientId, cancel) is { } node ? await Cluster!.Ask<ClientState>(node, ClientQuestion.State, new(account.Value, clientId)) : StateOf(account, clientId);

    /// <summary>The subscriptions of a client's session on any node; null when it has none.</summary>
    /// <exception cref="IOException">The node that has it cannot be reached.</exception>
    public async ValueTask<IReadOnlyList<(string Filter, int QoS)>?> FindSubscriptions(AccountId account, string clientId, CancellationToken cancel)
    {
        if (await Elsewhere(account, clientId, cancel) is not { } node)
            return SubscriptionsOf(account, clientId);
        var found = await Cluster!.Ask<List<SubscriptionRecord>>(node, ClientQuestion.Subscriptions, new(account.Value, clientId));
        return found?.ConvertAll(s => (s.Filter, s.QoS));
    }

    /// <summary>The other node that has a client's session; null when this one has it or nobody.</summary>
    async ValueTask<string?> Elsewhere(AccountId account, string clientId, CancellationToken cancel)
    {
        if (Cluster is not { } cluster || Sessions.Find(account, clientId) is { IsMoving: false })
            return null;
        var row = await store.Get(SessionRecord.Table, account, clientId, cancel);
        return row?.Value.Node is { } node && node != cluster.Node && cluster.IsLive(node) ? node : null;
    }

    /// <summary>Answers another node's question about a client of this one.</summary>
    internal async Task<object?> Answer(string verb, ClientQuestion asked)
    {
        var account = AccountId.FromStorage(asked.Account);
        return verb switch
        {
            ClientQuestion.State => StateOf(account, asked.ClientId),
            ClientQuestion.Subscriptions => Sessions.Find(account, asked.ClientId)?.Subscriptions.Select(SubscriptionRecord.Of).ToList(),
            ClientQuestion.Disconnect => await DisconnectHere(account, asked.ClientId, asked.Ends, asked.WithholdsWill),
            ClientQuestion.Direct => await SendDirectHere(account, asked.ClientId, asked.Message!, asked.Patience, CancellationToken.None),
            ClientQuestion.Release => await Sessions.Release(account, asked.ClientId, asked.Ends),
            ClientQuestion.Finish => await Sessions.Finish(account, asked.ClientId),
            _ => throw new NotSupportedException($"This node does not know the question '{verb}': it runs another version."),
        };
    }
}

/// <summary>What one node asks another about a client.</summary>
/// <param name="Ends">Its session ends.</param>
sealed record ClientQuestion(string Account, string ClientId, bool Ends = false, bool WithholdsWill = false)
{
    public const string State = "state";
    public const string Subscriptions = "subscriptions";
    public const string Disconnect = "disconnect";
    public const string Direct = "direct";
    public const string Release = "release";
    public const string Finish = "finish";

    public OutgoingMessage? Message { get; init; }
    public TimeSpan? Patience { get; init; }
}
