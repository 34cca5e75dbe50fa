using Althing.Storage;

namespace Althing.Broker;

/// <summary>What a dead node of the cluster had becomes this node's own.</summary>
sealed partial class SessionTable
{
    const int AdoptStep = 512;

    /// <summary>
    /// Takes over a node's persistent sessions with all that its log owes them. The node must not be able to write its log any more. Done again
    /// after it was interrupted, it does what is left.
    /// </summary>
    /// <returns>How many sessions.</returns>
    public async Task<int> Adopt(string node, string logName, IJournal journal, CancellationToken cancel)
    {
        var dead = new MessageLog(journal);
        var life = await store.Get(LogLife.Table, AccountId.Platform, logName, cancel);
        await dead.Begin((life?.Value.Count ?? 0) + 1, cancel);
        await dead.Recover(cancel);
        List<Row<SessionRecord>> clean = [];
        Dictionary<string, Session> orphans = new(StringComparer.Ordinal);
        await foreach (var row in store.ScanAll(SessionRecord.Table, cancel))
        {
            if (row.Value.Node != node)
                continue;
            if (row.Value.ExpirySeconds == 0)
                clean.Add(row);
            else if (Restored(row, dead.FirstId, node) is { } orphan)
                orphans[orphan.Key] = orphan;
        }
        List<(long Id, NodeDebt Debt)> away = [];
        await TakeDebts(node, dead, orphans, away);
        foreach (var orphan in orphans.Values.ToList())
        {
            if (!await Own(orphan))
                orphans.Remove(orphan.Key);
        }
        await broker.Cluster!.Announced();
        foreach (var orphan in orphans.Values)
        {
            await orphan.Recovered();
            orphan.EndRecovery();
        }
        foreach (var row in clean)
            await EndClean(row, cancel);
        foreach (var (id, debt) in away)
            _ = broker.SendAgain(id, debt);
        return orphans.Count;
    }

    /// <summary>Owes another node what the dead one did; its own part of what it owed this one comes back to it the same way.</summary>
    Task TakeAway(string node, Recovered record, Message message, NodeDebt debt, List<(long, NodeDebt)> away)
    {
        var mine = debt.Origin.Length > 0 ? debt : debt with { Origin = node, Id = record.Id };
        var appended = broker.Log.Append(debt.Account, Message.Unlogged(message), [new(mine.Key, 0)], null);
        away.Add((appended.Id, mine));
        return appended.Durable;
    }

    async Task TakeTaken(Receipt receipt)
    {
        var appended = broker.Log.Append(AccountId.Platform, null, [], receipt);
        broker.Taken.Keep(receipt.Session, appended.Id);
        await appended.Durable;
    }

    async Task EndClean(Row<SessionRecord> row, CancellationToken cancel)
    {
        try
        {
            await PublishWill(row.Value, cancel);
            await store.Commit(broker.Cluster!.Guard(new()).Delete(SessionRecord.Table, row), cancel);
        }
        catch (StorageConflictException lost) when (lost.Table == SessionRecord.Table.Name)
        {
            // Its client is back on another node.
        }
    }

    /// <summary>Writes a session's row with this node's name; false when another node has it already.</summary>
    async Task<bool> Own(Session orphan)
    {
        try
        {
            await Save(orphan, connected: false);
        }
        catch (StorageConflictException lost) when (lost.Table == SessionRecord.Table.Name)
        {
            await orphan.Recovered();
            foreach (var (id, _, _) in orphan.Debts())
                broker.Log.Acknowledge(id, orphan.Key);
            return false;
        }
        sessions[(orphan.Account, orphan.ClientId)] = orphan;
        foreach (var subscription in orphan.Subscriptions)
            broker.TopicsOf(orphan.Account).Add(subscription);
        return true;
    }

    async Task TakeDebts(string node, MessageLog dead, Dictionary<string, Session> orphans, List<(long, NodeDebt)> away)
    {
        foreach (var part in dead.Remaining().Chunk(AdoptStep))
        {
            List<Task> durable = [];
            // A record may be a receipt alone, with no message to read.
            var owed = part.Where(r => r.Debts.Count > 0).Select(r => r.Id).ToList();
            var messages = owed.Zip(await dead.Load(owed)).ToDictionary(m => m.First, m => m.Second);
            foreach (var record in part)
            {
                foreach (var debt in record.Debts)
                {
                    if (messages[record.Id] is not { } message)
                        continue;
                    if (NodeDebt.Read(debt.Session) is { } elsewhere)
                        durable.Add(TakeAway(node, record, message, elsewhere, away));
                    else if (orphans.TryGetValue(debt.Session, out var orphan))
                        durable.Add(Take(orphan, Message.Unlogged(message), record.Bytes, debt.PacketId, debt.Released, record.Id <= orphan.SentBefore).Durable);
                }
                if (record.Receipt is { } known && NodeDebt.Read(known.Session) is not null)
                    durable.Add(TakeTaken(known));
                else if (record.Receipt is { } receipt && orphans.TryGetValue(receipt.Session, out var sender))
                    durable.Add(TakeReceipt(sender, receipt.PacketId));
            }
            await Task.WhenAll(durable);
        }
    }
}
