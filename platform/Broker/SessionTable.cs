using System.Collections.Concurrent;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>All sessions by account and client id, live or waiting for their client.</summary>
sealed partial class SessionTable(MqttBroker broker, IStore store, TimeProvider time)
{
    readonly ConcurrentDictionary<(AccountId, string), Session> sessions = new();
    readonly ConcurrentDictionary<MqttConnection, byte> live = new();

    /// <summary>One connection at a time is given a session of one client id; 256 gates serve all ids.</summary>
    readonly ConnectNumbers numbers = new(time);
    readonly SemaphoreSlim[] gates = [.. Enumerable.Range(0, 256).Select(_ => new SemaphoreSlim(1))];

    /// <summary>Completes when all sessions have back what the log has of theirs.</summary>
    readonly TaskCompletionSource recovered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Both go through the dictionary itself: its Keys and Values would be copies.
    public IEnumerable<MqttConnection> Live => live.Select(static c => c.Key);
    public int LiveCount => live.Count;
    public IEnumerable<Session> All => sessions.Select(static s => s.Value);
    public int Count => sessions.Count;

    public Session? Find(AccountId account, string clientId) => sessions.GetValueOrDefault((account, clientId));

    public void Opened(MqttConnection connection) => live.TryAdd(connection, 0);

    public void Closed(MqttConnection connection) => live.TryRemove(connection, out _);

    /// <summary>Finds or makes the session for a CONNECT, ending the connection that has it now, and hands it over. [MQTT-3.1.4-3]</summary>
    /// <param name="admit">Gives the session its connection; told whether it was there before.</param>
    public async Task Open(MqttConnection connection, string clientId, bool cleanStart, TimeSpan expiry, Action<Session, bool> admit)
    {
        if (broker.Cluster is { } cluster)
        {
            await Open(cluster, connection, clientId, cleanStart, expiry, admit);
            return;
        }
        await Open(connection, clientId, cleanStart, expiry, admit, null);
    }

    /// <param name="claim">What the cluster knows of the client; null without one.</param>
    async Task Open(MqttConnection connection, string clientId, bool cleanStart, TimeSpan expiry, Action<Session, bool> admit, Claim? claim)
    {
        var key = (connection.Account, clientId);
        var gate = gates[(uint)key.GetHashCode() % gates.Length];
        await gate.WaitAsync();
        try
        {
            if (claim is not null)
                await Install(connection.Account, clientId, claim);
            sessions.TryGetValue(key, out var known);
            if (known?.Connection is { } rival)
            {
                await rival.GiveWay();
                sessions.TryGetValue(key, out known);
            }
            if (known is not null && (cleanStart || IsExpired(known)))
            {
                await Remove(known);
                known = null;
            }
            var present = known is not null;
            known ??= new(connection.Account, clientId, broker)
            {
                ConnectNumber = Math.Max(numbers.Take(connection.Account, clientId), claim?.ConnectNumber ?? -1),
                RowVersion = claim is null ? 0 : await VersionOf(connection.Account, clientId, claim),
            };
            known.TakeBack();
            var stored = known.IsPersistent || claim is not null;
            known.Expiry = expiry;
            known.ConnectNumber++;
            known.LastWill = connection.Will is { } will ? WillRecord.Of(will, connection.Source, due: null) : null;
            sessions[key] = known;
            // One whose delay is over is published though the client is back. [MQTT-3.1.3-9]
            PendingWill(known, publish: !present || known.Will?.Due <= time.GetUtcNow());
            if (known.IsPersistent || stored || known.LastWill is not null)
                await Save(known, connected: true);
            admit(known, present);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>A connection ended: its session goes with it, or waits, and so does its will.</summary>
    /// <param name="inGate">The caller holds the client id's gate.</param>
    /// <returns>False when the session has let go of it already.</returns>
    public async Task<bool> Leave(Session session, MqttConnection connection, bool inGate)
    {
        var gate = inGate ? null : gates[(uint)(session.Account, session.ClientId).GetHashCode() % gates.Length];
        if (gate is not null)
            await gate.WaitAsync();
        try
        {
            if (!session.Detach(connection))
                return false;
            KeepWill(session, connection, connection.TakeWill());
            if (!session.IsPersistent)
            {
                await Remove(session);
                return true;
            }
            await session.ReadShared();
            broker.Redirect(session, session.TakeShared(), mustBeConnected: true);
            await Save(session, connected: false);
            return true;
        }
        finally
        {
            gate?.Release();
        }
    }

    public async Task Save(Session session, bool connected)
    {
        if (broker.Cluster is { } cluster)
        {
            await Save(cluster, session, connected);
            return;
        }
        if (!session.IsPersistent && !(connected && session.LastWill is not null))
        {
            await store.Commit(new Batch().Delete(SessionRecord.Table, session.Account, session.ClientId), CancellationToken.None);
            return;
        }
        await store.Commit(new Batch().Put(SessionRecord.Table, RecordOf(session, connected)), CancellationToken.None);
    }

    SessionRecord RecordOf(Session session, bool connected) => new()
    {
        Account = session.Account,
        ClientId = session.ClientId,
        ExpirySeconds = (long)session.Expiry.TotalSeconds,
        DisconnectedAt = connected ? null : session.DisconnectedAt ?? time.GetUtcNow(),
        LastSent = Math.Max(session.LastSent, session.SentBefore),
        ConnectNumber = session.ConnectNumber,
        Subscriptions = [.. session.Subscriptions.Select(SubscriptionRecord.Of)],
        Will = connected ? session.LastWill : session.Will is { } will ? WillRecord.Of(will.Will, will.Source, will.Due) : null,
    };

    public async Task SaveAll()
    {
        foreach (var session in sessions.Values.Where(s => s.IsPersistent && !s.IsMoving))
            await Save(session, connected: false);
    }

    async Task Remove(Session session)
    {
        PendingWill(session, publish: true);
        // A persistent session that is over because its client stayed away begins anew.
        if (!IsExpired(session) || !session.IsPersistent)
            numbers.Note(session);
        sessions.TryRemove(new((session.Account, session.ClientId), session));
        var space = broker.TopicsOf(session.Account);
        foreach (var subscription in session.Subscriptions)
            space.Remove(subscription);
        await session.ReadShared();
        broker.Redirect(session, session.End(), mustBeConnected: false);
        if (broker.Cluster is { } cluster)
        {
            await Delete(cluster, session);
            return;
        }
        if (!session.IsPersistent && session.LastWill is null)
            return;
        await store.Commit(new Batch().Delete(SessionRecord.Table, session.Account, session.ClientId), CancellationToken.None);
    }

    public async Task Load(CancellationToken cancel)
    {
        await foreach (var row in store.ScanAll(SessionRecord.Table, cancel))
        {
            var record = row.Value;
            if (record.Node != broker.Cluster?.Node)
                continue;
            // A clean session's row says which node of a cluster has it, and its will.
            if (record.ExpirySeconds == 0)
            {
                ended.Add(row);
                continue;
            }
            var session = Restored(row, broker.Log.FirstId, adoptedFrom: null);
            foreach (var subscription in session.Subscriptions)
                broker.TopicsOf(record.Account).Add(subscription);
            sessions[(record.Account, record.ClientId)] = session;
        }
    }

    /// <summary>A session as its row has it, without what the log has.</summary>
    /// <param name="sentBefore">Up to where messages of its log may have been sent, if the process ended while it was connected.</param>
    Session Restored(in Row<SessionRecord> row, long sentBefore, string? adoptedFrom)
    {
        var record = row.Value;
        var session = new Session(record.Account, record.ClientId, broker)
        {
            Expiry = TimeSpan.FromSeconds(record.ExpirySeconds),
            DisconnectedAt = record.DisconnectedAt ?? time.GetUtcNow(),
            ConnectNumber = record.ConnectNumber,
            SentBefore = record.DisconnectedAt is null ? sentBefore : record.LastSent,
            RowVersion = row.Version,
            AdoptedFrom = adoptedFrom,
            Will = record.Will?.After(time.GetUtcNow()),
            IsInstalled = adoptedFrom is not null,
        };
        session.BeginRecovery();
        foreach (var subscription in record.Subscriptions)
            session.Put(subscription.For(session));
        return session;
    }

    /// <summary>Gives the sessions back what the log has of theirs.</summary>
    public void Recover(Recovered from)
    {
        foreach (var debt in from.Debts)
        {
            if (NodeDebt.Read(debt.Session) is { } away)
                owedNodes.Add((from.Id, away));
            else if (FindByKey(debt.Session) is { } session)
                session.Recover(from.Id, from.Bytes, debt, maybeSent: from.Id <= session.SentBefore);
            else
                broker.Log.Acknowledge(from.Id, debt.Session);
        }
        if (from.Receipt is not { } receipt)
            return;
        if (NodeDebt.Read(receipt.Session) is not null)
            broker.Taken.Keep(receipt.Session, from.Id);
        else if (FindByKey(receipt.Session) is { } sender)
            sender.Remember(receipt.PacketId, new(from.Id, Task.CompletedTask));
        else
            broker.Log.Complete(from.Id);
    }

    readonly List<(long Id, NodeDebt Debt)> owedNodes = [];

    /// <summary>A session of an earlier life of the process; one that began since has no part in what the log has of that time.</summary>
    Session? FindByKey(string key)
    {
        var parts = Key.Split(key);
        return Find(AccountId.FromStorage(parts[0]), parts[1]) is { IsRecovering: true } session ? session : null;
    }

    /// <summary>All that the log had was given back: clients may come for it.</summary>
    public async Task EndRecovery()
    {
        var recovering = sessions.Values.Where(s => s.IsRecovering).ToList();
        await Task.WhenAll(recovering.Select(s => s.Recovered()));
        foreach (var session in recovering)
            session.EndRecovery();
        recovered.SetResult();
        foreach (var (id, away) in owedNodes)
            _ = broker.SendAgain(id, away);
        owedNodes.Clear();
    }

    /// <summary>Waits until a client's session has back what the log has of it.</summary>
    /// <returns>False when that takes too long.</returns>
    public async Task<bool> WhenRecovered(AccountId account, string clientId)
    {
        if (Find(account, clientId) is not { IsRecovering: true })
            return true;
        try
        {
            await recovered.Task.WaitAsync(broker.Options.RecoveryWaitMax, time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>The subscription that the message came by is not in the log: the strongest of those that match stands for it.</summary>
    public static Target TargetOf(Session session, Message message, ushort packetId)
    {
        var matching = session.Subscriptions.Where(s => Topic.Matches(Topic.SplitShared(s.Filter).Filter, message.Topic)).ToList();
        var own = matching.Where(s => s.Group is null).ToList();
        List<int> identifiers = [.. own.Where(s => s.Identifier is not null).Select(s => s.Identifier!.Value)];
        return new(session, packetId != 0 ? 2 : 1, false, own.Any(s => s.RetainAsPublished), identifiers.Count > 0 ? identifiers : null)
        {
            PacketId = packetId,
            Group = own.Count == 0 ? matching.FirstOrDefault()?.Filter : null,
        };
    }

    /// <summary>Once a second: ends sessions whose time is over and connections that fell silent, at the latest some seconds after that where there are many.</summary>
    public void Upkeep()
    {
        (connectionRounds ??= new(Live, static c => c.CheckSilence())).GoOn();
        numbers.Upkeep();
        (sessionRounds ??= new(All, Check)).GoOn();
    }

    PartialRounds<MqttConnection>? connectionRounds;
    PartialRounds<Session>? sessionRounds;

    void Check(Session session)
    {
        if (session.Connection is not null || session.IsRecovering)
            return;
        if (session.MovingSince is { } since)
        {
            if (time.GetUtcNow() - since > MoveMax)
                _ = SettleMove(session);
            return;
        }
        if (IsExpired(session))
            _ = End(session);
        else if (session.Will is { } will && will.Due <= time.GetUtcNow())
            _ = LeaveWill(session);
    }

    /// <summary>Ends a session that waits for its client, before its time. One whose client is back stays.</summary>
    public async Task Drop(AccountId account, string clientId)
    {
        if (Find(account, clientId) is { IsRecovering: true })
            await recovered.Task;
        var gate = gates[(uint)(account, clientId).GetHashCode() % gates.Length];
        await gate.WaitAsync();
        try
        {
            if (Find(account, clientId) is { Connection: null } session)
                await Remove(session);
        }
        finally
        {
            gate.Release();
        }
    }

    async Task End(Session session)
    {
        var gate = gates[(uint)(session.Account, session.ClientId).GetHashCode() % gates.Length];
        await gate.WaitAsync();
        try
        {
            if (session.Connection is null && !session.IsMoving && IsExpired(session) && Find(session.Account, session.ClientId) == session)
                await Remove(session);
        }
        finally
        {
            gate.Release();
        }
    }

    bool IsExpired(Session session) =>
        session.Connection is null && session.DisconnectedAt is { } since && time.GetUtcNow() - since >= session.Expiry;
}
