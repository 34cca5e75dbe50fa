using Althing.Storage;

namespace Althing.Broker;

/// <summary>
/// Sessions in a cluster: each lives on one node, whose name is in its row, and goes to the node where its client connects. The row decides:
/// who writes it with the version that it had owns the session.
/// </summary>
sealed partial class SessionTable
{
    /// <summary>How long a client waits at CONNECT for its session to come from another node, or for a dead node's to be adopted.</summary>
    static readonly TimeSpan ClaimMax = TimeSpan.FromSeconds(25);
    static readonly TimeSpan ClaimAgain = TimeSpan.FromMilliseconds(100);

    /// <summary>After this time another node that asked for a session has it, or will never have it.</summary>
    static readonly TimeSpan MoveMax = TimeSpan.FromSeconds(30);

    /// <summary>What is known of a client before it is given its session.</summary>
    /// <param name="Version">Of its row; 0 when there is none.</param>
    /// <param name="From">The node that handed it over.</param>
    sealed record Claim(long Version, long ConnectNumber, string? From, Handover? Handover);

    /// <summary>Its session could not be had from the node where it is.</summary>
    public sealed class NotClaimedException(string message) : Exception(message);

    async Task Open(IBrokerCluster cluster, MqttConnection connection, string clientId, bool cleanStart, TimeSpan expiry, Action<Session, bool> admit)
    {
        var begun = time.GetTimestamp();
        while (true)
        {
            if (await TryClaim(cluster, connection.Account, clientId, cleanStart) is { } claim)
            {
                try
                {
                    await Open(connection, clientId, cleanStart, expiry, admit, claim);
                    return;
                }
                catch (StorageConflictException lost) when (lost.Table == SessionRecord.Table.Name)
                {
                    // Another node was first: then the session is there.
                }
            }
            if (time.GetElapsedTime(begun) > ClaimMax)
                throw new NotClaimedException("its session is on a node that cannot be reached now: try again");
            await Task.Delay(ClaimAgain, time);
        }
    }

    /// <summary>Asks the node where the session is for it; null when the answer must be waited for.</summary>
    async Task<Claim?> TryClaim(IBrokerCluster cluster, AccountId account, string clientId, bool cleanStart)
    {
        var found = await store.Get(SessionRecord.Table, account, clientId, CancellationToken.None);
        if (found is not { Value: { } record } row)
            return new(0, -1, null, null);
        if (record.Node == cluster.Node)
            return new(row.Version, record.ConnectNumber, null, null);
        if (record.Node is null || !cluster.IsLive(record.Node))
            return record.ExpirySeconds == 0 ? new(row.Version, record.ConnectNumber, null, null) : null;
        try
        {
            var handover = await cluster.Release(record.Node, account, clientId, cleanStart);
            // Letting the connection go, the other node has written the row.
            var after = await store.Get(SessionRecord.Table, account, clientId, CancellationToken.None);
            if (after is not { } now)
                return new(0, record.ConnectNumber, null, null);
            return now.Value.Node == record.Node ? new(now.Version, now.Value.ConnectNumber, record.Node, handover) : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Makes a session that was handed over this node's own. Called by the holder of the client id's gate.</summary>
    async Task Install(AccountId account, string clientId, Claim claim)
    {
        if (claim.From is null)
            return;
        if (Find(account, clientId) is { } leftover)
        {
            if (leftover.RowVersion > claim.Version && !leftover.IsMoving)
                throw new StorageConflictException(SessionRecord.Table.Name, clientId);
            // The row says that it is elsewhere: what is here is of an earlier time.
            sessions.TryRemove(new((account, clientId), leftover));
            Unsubscribe(leftover);
            await leftover.HandOver();
            await leftover.LetGo();
        }
        if (claim.Handover is not { } handover)
            return;
        var session = new Session(account, clientId, broker)
        {
            Expiry = TimeSpan.FromSeconds(handover.ExpirySeconds),
            DisconnectedAt = time.GetUtcNow(),
            ConnectNumber = handover.ConnectNumber,
            RowVersion = claim.Version,
            IsInstalled = true,
        };
        session.BeginRecovery();
        foreach (var subscription in handover.Subscriptions)
            session.Put(subscription.For(session));
        List<long> appended = [];
        await Take(session, handover.Debts, appended);
        foreach (var receipt in handover.Receipts)
            appended.Add(await TakeReceipt(session, receipt));
        try
        {
            await Save(session, connected: false);
        }
        catch
        {
            foreach (var id in appended)
            {
                broker.Log.Acknowledge(id, session.Key);
                _ = broker.Log.Complete(id);
            }
            throw;
        }
        await Begin(session);
        await Take(session, await FinishAt(claim.From, account, clientId), appended);
        await session.Recovered();
        session.EndRecovery();
    }

    /// <summary>From now on messages reach it here.</summary>
    async Task Begin(Session session)
    {
        sessions[(session.Account, session.ClientId)] = session;
        foreach (var subscription in session.Subscriptions)
            broker.TopicsOf(session.Account).Add(subscription);
        await broker.Cluster!.Announced();
    }

    async Task<IReadOnlyList<HandedDebt>> FinishAt(string node, AccountId account, string clientId)
    {
        try
        {
            return await broker.Cluster!.Finish(node, account, clientId);
        }
        catch (IOException)
        {
            // It died in between. What it had was handed over already.
            return [];
        }
    }

    async Task Take(Session session, IReadOnlyList<HandedDebt> debts, List<long> appended)
    {
        List<Task> durable = [];
        foreach (var debt in debts)
        {
            var (id, kept) = Take(session, LogRecord.ReadMessage(debt.Record), debt.Record.Length, debt.PacketId, debt.Released, debt.MaybeSent);
            appended.Add(id);
            durable.Add(kept);
        }
        await Task.WhenAll(durable);
    }

    /// <summary>Writes what a session is owed into this node's log.</summary>
    Appended Take(Session session, Message message, int bytes, ushort packetId, bool released, bool maybeSent)
    {
        var appended = broker.Log.Append(session.Account, message, [new(session.Key, packetId)], null);
        var durable = released ? broker.Log.Release(appended.Id, session.Key) : appended.Durable;
        session.Recover(appended.Id, bytes, new(session.Key, packetId, released), maybeSent);
        return new(appended.Id, durable);
    }

    async Task<long> TakeReceipt(Session session, ushort packetId)
    {
        var appended = broker.Log.Append(session.Account, null, [], new Receipt(session.Key, packetId));
        session.Remember(packetId, new(appended.Id, appended.Durable));
        await appended.Durable;
        return appended.Id;
    }

    /// <summary>Another node asks for a session: ends its connection and says what it is owed; null when there is none to have.</summary>
    public async Task<Handover?> Release(AccountId account, string clientId, bool cleanStart)
    {
        if (!await WhenRecovered(account, clientId))
            throw new IOException("What waits for the client is still being read after a start.");
        var gate = gates[(uint)(account, clientId).GetHashCode() % gates.Length];
        await gate.WaitAsync();
        try
        {
            if (Find(account, clientId)?.Connection is { } rival)
                await rival.GiveWay();
            if (Find(account, clientId) is not { } session)
                return null;
            if (cleanStart || IsExpired(session))
            {
                session.TakeBack();
                await Remove(session);
                return null;
            }
            return await session.HandOver();
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Another node has the session now: forgets it and answers what came for it since.</summary>
    public async Task<IReadOnlyList<HandedDebt>> Finish(AccountId account, string clientId)
    {
        if (Find(account, clientId) is not { IsMoving: true } session)
            return [];
        sessions.TryRemove(new((account, clientId), session));
        Unsubscribe(session);
        return await session.LetGo();
    }

    void Unsubscribe(Session session)
    {
        var space = broker.TopicsOf(session.Account);
        foreach (var subscription in session.Subscriptions)
            space.Remove(subscription);
    }

    /// <summary>A node asked for a session long ago and did not say that it has it: its row knows.</summary>
    async Task SettleMove(Session session)
    {
        var gate = gates[(uint)(session.Account, session.ClientId).GetHashCode() % gates.Length];
        await gate.WaitAsync();
        try
        {
            if (!session.IsMoving)
                return;
            var row = await store.Get(SessionRecord.Table, session.Account, session.ClientId, CancellationToken.None);
            if (row?.Value.Node == broker.Cluster!.Node)
                session.TakeBack();
            else
                await Finish(session.Account, session.ClientId);
        }
        catch (Exception failure) when (failure is IOException or System.Data.Common.DbException)
        {
            // The next round tries again.
        }
        finally
        {
            gate.Release();
        }
    }

    async Task Save(IBrokerCluster cluster, Session session, bool connected)
    {
        await session.Saving.WaitAsync();
        try
        {
            if (session.IsMoving)
                return;
            if (session.RowVersion < 0)
                session.RowVersion = await OwnVersion(cluster, session);
            var record = RecordOf(session, connected) with { Node = cluster.Node };
            var batch = cluster.Guard(new());
            if (session.RowVersion == 0)
                batch.Add(SessionRecord.Table, record);
            else
                batch.Replace(SessionRecord.Table, RowOf(session, record), record);
            await Write(session, batch, session.RowVersion + 1);
        }
        finally
        {
            session.Saving.Release();
        }
    }

    async Task Delete(IBrokerCluster cluster, Session session)
    {
        await session.Saving.WaitAsync();
        try
        {
            if (session.RowVersion < 0)
                session.RowVersion = await OwnVersion(cluster, session);
            if (session.RowVersion > 0 && !session.IsMoving)
                await Write(session, cluster.Guard(new()).Delete(SessionRecord.Table, RowOf(session, RecordOf(session, connected: false))), 0);
        }
        catch (StorageConflictException lost) when (lost.Table == SessionRecord.Table.Name)
        {
            // Another node has it, and will delete its row.
        }
        finally
        {
            session.Saving.Release();
        }
    }

    async Task Write(Session session, Batch batch, long version)
    {
        try
        {
            await store.Commit(batch, CancellationToken.None);
            session.RowVersion = version;
        }
        catch (StorageException)
        {
            // It may have been written all the same.
            session.RowVersion = -1;
            throw;
        }
    }

    async Task<long> OwnVersion(IBrokerCluster cluster, Session session)
    {
        var row = await store.Get(SessionRecord.Table, session.Account, session.ClientId, CancellationToken.None);
        return row is not { } now ? 0 : now.Value.Node == cluster.Node ? now.Version
            : throw new StorageConflictException(SessionRecord.Table.Name, Key.Of(session.Account.Value, session.ClientId));
    }

    /// <summary>The version that a new session's row is written over: the claimed one, unless the session before it was removed here just now.</summary>
    async Task<long> VersionOf(AccountId account, string clientId, Claim claim)
    {
        if (claim.Version == 0)
            return 0;
        var row = await store.Get(SessionRecord.Table, account, clientId, CancellationToken.None);
        return row is { } now && now.Version != claim.Version && now.Value.Node != broker.Cluster!.Node
            ? throw new StorageConflictException(SessionRecord.Table.Name, clientId) : row?.Version ?? 0;
    }

    static Row<SessionRecord> RowOf(Session session, SessionRecord record) => new(session.Account, session.ClientId, record, session.RowVersion, "");
}
