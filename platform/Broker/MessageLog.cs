using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>
/// The log that keeps what persistent sessions were promised. A record of it is a message with the sessions that are owed it, or the packet
/// identifier of a QoS 2 message whose sender has not released it yet, or both; later records say what became of it. In memory is only where
/// each record is and who is owed it; messages are read from the journal again. What nobody needs any more is trimmed.
/// </summary>
/// <remarks>
/// Debts are listed by session, not here: <see cref="Session.Debts"/> has the numbers of all that one session is owed, in the order of
/// delivery, and <see cref="Load"/> reads their messages. To take over a session, append the messages with the new owner's share; to give one
/// up, <see cref="Acknowledge"/> each number.
/// </remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "The buffer lives as long as the broker.")]
sealed partial class MessageLog(IJournal journal, long compactionBytesMin = MessageLog.CompactionBytesMin)
{
    readonly Lock gate = new();
    readonly LogIndex index = new();
    readonly PacketBuffer buffer = new();
    long lastId;
    Filling? filling;
    Task placed = Task.CompletedTask;

    /// <summary>What goes to disk together, until it is known where.</summary>
    sealed class Filling(JournalGroup group)
    {
        public JournalGroup Group { get; } = group;
        public List<(long Id, int Index, long MovedFrom)> Records { get; } = [];
        public long Bytes { get; set; }
    }

    /// <summary>Appends a message for these sessions; its task completes when it is on disk. The order of calls is the order of the log.</summary>
    public Appended Append(AccountId account, Message? message, IReadOnlyList<Share> shares, Receipt? receipt)
    {
        lock (gate)
        {
            var id = ++lastId;
            if (message is not null)
                message.LogId = id;
            LogRecord.Write(buffer, id, account, message, shares, receipt);
            ref var slot = ref index.Put(id);
            (slot.Position, slot.Bytes) = (LogSlot.Unplaced, buffer.Length);
            if (shares.Count == 1 && receipt is null)
                (slot.Owed, slot.PacketId) = (shares[0].Session, shares[0].PacketId);
            else
                slot.Owed = DebtsOf(shares, receipt);
            return new(id, Put(id, LogSlot.Unplaced));
        }
    }

    static LogDebts DebtsOf(IReadOnlyList<Share> shares, Receipt? receipt)
    {
        var debts = new LogDebts { Receipt = receipt };
        debts.Debts.Capacity = shares.Count;
        for (var i = 0; i < shares.Count; i++)
            debts.Debts.Add(new(shares[i].Session, shares[i].PacketId, Released: false));
        return debts;
    }

    /// <summary>Adds what is in the buffer to the journal.</summary>
    /// <param name="id">The message whose record it is; 0 for what only says what became of one.</param>
    Task Put(long id, long movedFrom)
    {
        var entry = journal.Add(buffer.Written.Span);
        if (filling?.Group != entry.Group)
        {
            var begun = new Filling(entry.Group);
            filling = begun;
            placed = entry.Group.Durable.ContinueWith(_ => Place(begun), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
        filling.Bytes += buffer.Length;
        if (id != 0)
            filling.Records.Add((id, entry.Index, movedFrom));
        return entry.Group.Durable;
    }

    /// <summary>A session has the message, or will never want it. Not waited for: at worst it is sent again after a crash.</summary>
    public void Acknowledge(long id, string session)
    {
        lock (gate)
        {
            ref var slot = ref index.Find(id);
            if (Unsafe.IsNullRef(ref slot))
                return;
            if (slot.Owed is LogDebts debts)
            {
                var at = debts.Find(session);
                if (at < 0)
                    return;
                debts.Debts.RemoveAt(at);
            }
            else if (!string.Equals((string)slot.Owed!, session, StringComparison.Ordinal))
            {
                return;
            }
            Note(LogRecord.Acknowledge, id, session);
            if (slot.Owed is not LogDebts { IsDone: false })
                Remove(id, slot);
        }
    }

    /// <summary>A session's client has received its QoS 2 message. On disk before PUBREL, because the client forgets the identifier then.</summary>
    public Task Release(long id, string session)
    {
        lock (gate)
        {
            ref var slot = ref index.Find(id);
            if (Unsafe.IsNullRef(ref slot) || !TryRelease(ref slot, session))
                return Task.CompletedTask;
            return Note(LogRecord.Release, id, session);
        }
    }

    static bool TryRelease(ref LogSlot slot, string session)
    {
        if (slot.Owed is not LogDebts debts)
            return string.Equals((string)slot.Owed!, session, StringComparison.Ordinal) && (slot.Released = true);
        var at = debts.Find(session);
        if (at < 0)
            return false;
        debts.Debts[at] = debts.Debts[at] with { Released = true };
        return true;
    }

    /// <summary>A sender released its QoS 2 message. On disk before PUBCOMP, because the sender may use the identifier anew then.</summary>
    public Task Complete(long id)
    {
        lock (gate)
        {
            ref var slot = ref index.Find(id);
            if (Unsafe.IsNullRef(ref slot) || slot.Owed is not LogDebts { Receipt: not null } debts)
                return Task.CompletedTask;
            debts.Receipt = null;
            var noted = Note(LogRecord.ReceiptDone, id, null);
            if (debts.IsDone)
                Remove(id, slot);
            return noted;
        }
    }

    /// <summary>Gives what one session is owed to another; null when the log has the message no more.</summary>
    /// <param name="from">The session that gives it up; it need not be in the log.</param>
    public Task? Move(long id, string from, Share to)
    {
        lock (gate)
        {
            ref var slot = ref index.Find(id);
            if (Unsafe.IsNullRef(ref slot))
                return null;
            Move(ref slot, from, to);
            LogRecord.Begin(buffer, LogRecord.Move, id);
            buffer.String(from);
            buffer.String(to.Session);
            buffer.UInt16(to.PacketId);
            return Put(0, LogSlot.Unplaced);
        }
    }

    static void Move(ref LogSlot slot, string from, Share to)
    {
        var debts = slot.Owed as LogDebts;
        if (debts is null)
        {
            debts = new();
            debts.Debts.Add(new((string)slot.Owed!, slot.PacketId, slot.Released));
            slot.Owed = debts;
        }
        debts.Debts.RemoveAll(d => d.Session == from || d.Session == to.Session);
        debts.Debts.Add(new(to.Session, to.PacketId, Released: false));
    }

    /// <summary>Completes when all that was noted so far is on disk.</summary>
    public Task Flush()
    {
        lock (gate)
            return Note(LogRecord.Acknowledge, 0, "");
    }

    Task Note(byte kind, long id, string? session)
    {
        LogRecord.Begin(buffer, kind, id);
        if (session is not null)
            buffer.String(session);
        return Put(0, LogSlot.Unplaced);
    }

    /// <summary>Reads messages again; null for those that the log has no more.</summary>
    /// <exception cref="InvalidDataException">The journal is damaged.</exception>
    public async Task<Message?[]> Load(IReadOnlyList<long> ids)
    {
        var messages = new Message?[ids.Count];
        List<(long Position, int Index)> places = [];
        // What is being moved within the journal may be gone from where it was: then it is elsewhere.
        while (await Places(ids, messages, places))
        {
            places.Sort();
            await journal.Read([.. places.Select(p => p.Position)], (i, record) => messages[places[i].Index] = LogRecord.ReadMessage(record.Span), CancellationToken.None);
        }
        return messages;
    }

    /// <summary>Where the messages are that are not read yet; false when there are none.</summary>
    async Task<bool> Places(IReadOnlyList<long> ids, Message?[] messages, List<(long Position, int Index)> places)
    {
        while (true)
        {
            places.Clear();
            Task? wait = null;
            lock (gate)
            {
                for (var i = 0; i < ids.Count; i++)
                {
                    ref var slot = ref messages[i] is null ? ref index.Find(ids[i]) : ref Unsafe.NullRef<LogSlot>();
                    if (Unsafe.IsNullRef(ref slot))
                        continue;
                    if (slot.Position == LogSlot.Unplaced)
                        wait = placed;
                    else
                        places.Add((slot.Position, i));
                }
            }
            if (wait is null)
                return places.Count > 0;
            await wait;
        }
    }
}

/// <summary>A session that is owed a message.</summary>
/// <param name="PacketId">The identifier that a QoS 2 message will have, also after a crash; 0 for QoS 1, which may change it.</param>
readonly record struct Share(string Session, ushort PacketId);

/// <summary>A QoS 2 message that a session's client sent and has not released: sent again, it is not a new one.</summary>
readonly record struct Receipt(string Session, ushort PacketId);

/// <summary>A record's number in the log, and when it is on disk.</summary>
readonly record struct Appended(long Id, Task Durable);
