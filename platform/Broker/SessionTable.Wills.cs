using Althing.Mqtt.Packets;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Broker;

/// <summary>
/// Wills. They stand in their sessions' rows, so that a crash of the platform, which ends all connections, has them published: afterwards, and
/// in rare cases twice.
/// </summary>
sealed partial class SessionTable
{
    /// <summary>Publishes a will now, or when its delay is over, or the session, whichever is first. [MQTT-3.1.3-9]</summary>
    void KeepWill(Session session, MqttConnection connection, WillMessage? will)
    {
        if (will is null)
            return;
        var delay = TimeSpan.FromSeconds(will.Properties?.WillDelaySeconds ?? 0);
        session.Will = new(will, connection.Source, time.GetUtcNow() + delay);
        if (delay <= TimeSpan.Zero || !session.IsPersistent)
            PendingWill(session, publish: true);
    }

    /// <summary>Takes the waiting will away and publishes it, or forgets it because its client is back. [MQTT-3.1.3-9]</summary>
    void PendingWill(Session session, bool publish)
    {
        if (session.Will is not { } pending)
            return;
        session.Will = null;
        if (publish)
            broker.PublishSoon(session.Account, pending.ToMessage(), pending.Source);
    }

    /// <summary>The delay of a will is over.</summary>
    async Task LeaveWill(Session session)
    {
        var gate = gates[(uint)(session.Account, session.ClientId).GetHashCode() % gates.Length];
        await gate.WaitAsync();
        try
        {
            if (session.Connection is not null || session.IsMoving || session.Will is null || Find(session.Account, session.ClientId) != session)
                return;
            PendingWill(session, publish: true);
            await Save(session, connected: false);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogUnsaved(broker.Logger, session.ClientId, failure);
        }
        finally
        {
            gate.Release();
        }
    }

    readonly List<Row<SessionRecord>> ended = [];

    /// <summary>Publishes the wills of sessions that ended with the process's earlier life, when all who may get them are known.</summary>
    public async Task EndClean(CancellationToken cancel)
    {
        foreach (var row in ended)
        {
            await PublishWill(row.Value, cancel);
            await store.Commit(new Batch().Delete(SessionRecord.Table, row), cancel);
        }
        ended.Clear();
    }

    ValueTask PublishWill(SessionRecord record, CancellationToken cancel) =>
        record.Will?.After(time.GetUtcNow()) is { } will ? broker.Publish(record.Account, will.ToMessage(), will.Source, cancel) : default;

    [LoggerMessage(31, LogLevel.Error, "The session of the client {ClientId} could not be written after its will; the will may be published again after a crash")]
    static partial void LogUnsaved(ILogger logger, string clientId, Exception failure);
}
