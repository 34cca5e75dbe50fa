using System.Net;
using Althing.Broker;
using Althing.Core.Authority;
using Althing.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Core.Connectivity;

/// <summary>
/// Writes down who connected and disconnected, shortly after: one writer takes all that has gathered, so that a fleet that comes back at
/// once costs few commits and a client that flaps costs one row.
/// </summary>
/// <remarks>A process that is killed forgets what it had not written yet; a client whose row says connected is then found not to be.</remarks>
sealed class ConnectivityKeeper(MqttBroker broker, IStore store, TimeProvider clock, ILogger<ConnectivityKeeper> logger) : IHostedService
{
    const int RowsPerCommit = 500;

    /// <summary>Clients that wait to be written when storage fails; what comes beyond is not kept.</summary>
    const int PendingMax = 100_000;

    static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(500);

    readonly Lock gate = new();
    Dictionary<(AccountId, string), ClientConnectivity> pending = [];
    Task working = Task.CompletedTask;
    bool idle = true;
    bool stopping;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        broker.PresenceChanged += Note;
        return Task.CompletedTask;
    }

    /// <summary>The broker ends the connections before this is called; they are all written down.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        broker.PresenceChanged -= Note;
        stopping = true;
        await Settled;
    }

    /// <summary>Completes when everything noted so far is written.</summary>
    public Task Settled
    {
        get
        {
            lock (gate)
                return working;
        }
    }

    void Note(PresenceChange change)
    {
        // Names and passwords of the plain listener are the administrator's own; things have certificates, tokens or signatures.
        if (change.Device is not ConnectedDevice device || MqttUser.NameOf(device.Principal) is not null)
            return;
        var row = Row(change, device);
        lock (gate)
        {
            var key = (row.Account, row.ClientId);
            // The end of one connection may be told after the beginning of the next.
            if ((pending.TryGetValue(key, out var there) && there.Number > row.Number) || (there is null && pending.Count >= PendingMax))
                return;
            pending[key] = row;
            if (!idle)
                return;
            idle = false;
            working = Task.Run(Write);
        }
    }

    static ClientConnectivity Row(PresenceChange change, ConnectedDevice device)
    {
        var source = IPEndPoint.TryParse(change.Connection.RemoteAddress, out var end) ? end : null;
        return new()
        {
            Account = device.Principal.Account,
            ClientId = device.ClientId,
            ThingName = device.ThingName ?? device.ClientId,
            Connected = change.DisconnectReason is null,
            At = change.At,
            DisconnectReason = change.DisconnectReason,
            SourceIp = source?.Address.ToString(),
            SourcePort = source?.Port,
            TargetIp = (change.LocalEndPoint as IPEndPoint)?.Address.ToString(),
            TargetPort = (change.LocalEndPoint as IPEndPoint)?.Port,
            KeepAliveSeconds = (int)change.Connection.KeepAlive.TotalSeconds,
            CleanSession = change.Connection.CleanStart,
            SessionExpirySeconds = (long)change.Connection.SessionExpiry.TotalSeconds,
            Number = change.Number,
        };
    }

    async Task Write()
    {
        while (true)
        {
            List<ClientConnectivity> rows;
            lock (gate)
            {
                if (pending.Count == 0)
                {
                    idle = true;
                    return;
                }
                rows = [.. pending.Values];
                pending = [];
            }
            foreach (var chunk in rows.Chunk(RowsPerCommit))
            {
                if (!await Commit(chunk))
                    return;
            }
        }
    }

    /// <summary>Writes until it is written; false when the platform stops before.</summary>
    async Task<bool> Commit(ClientConnectivity[] rows)
    {
        while (true)
        {
            var batch = new Batch();
            foreach (var row in rows)
                batch.Put(ClientConnectivity.Table, row);
            try
            {
                await store.Commit(batch, CancellationToken.None);
                return true;
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                logger.LogError(failure, "Connections of {Count} clients could not be written down{Again}.", rows.Length, stopping ? "" : "; trying again");
                if (stopping)
                    return false;
                await Task.Delay(RetryAfter, clock);
            }
        }
    }
}
