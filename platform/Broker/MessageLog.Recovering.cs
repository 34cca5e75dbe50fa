using System.Runtime.CompilerServices;
using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>What an earlier life of the process left in the log. It is read while new messages are appended behind it.</summary>
sealed partial class MessageLog
{
    /// <summary>Numbers of one life of the process; the next life's begin behind them, so that they are known before the log is read.</summary>
    const int EpochBits = 46;

    long firstId;
    long replayFrom;
    long replayEnd;
    long replayed;

    /// <summary>The log is not read to its end yet: nothing is trimmed meanwhile.</summary>
    public bool IsRecovering { get; private set; }

    /// <summary>How much of it is read, from 0 to 1.</summary>
    public double Progress => IsRecovering ? Math.Max(0, Volatile.Read(ref replayed) - replayFrom) / (double)Math.Max(1, replayEnd - replayFrom) : 1;

    /// <summary>Messages with a smaller number are of an earlier life.</summary>
    public long FirstId => firstId;

    /// <summary>Prepares for <see cref="Recover"/>; from now on messages may be appended.</summary>
    /// <param name="epoch">Counts the lives of the process on this log, from 1.</param>
    public async Task Begin(long epoch, CancellationToken cancel)
    {
        replayEnd = await journal.End(cancel);
        firstId = lastId = epoch << EpochBits;
        IsRecovering = true;
    }

    /// <summary>Reads the log to where it was at <see cref="Begin"/>.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or newer than the tables.</exception>
    public async Task Recover(CancellationToken cancel)
    {
        var keys = new LogRecord.Keys();
        var first = true;
        await foreach (var (position, record) in journal.Replay(0, replayEnd, cancel))
        {
            if (first)
                (first, replayFrom) = (false, position);
            Volatile.Write(ref replayed, position + 1);
            lock (gate)
                Apply(record.Span, position, keys);
        }
    }

    /// <summary>What of earlier lives is still owed, oldest first.</summary>
    public IEnumerable<Recovered> Remaining()
    {
        long[] blocks;
        lock (gate)
            blocks = index.BlocksBefore(firstId);
        List<(long Id, LogSlot Slot)> block = [];
        foreach (var number in blocks)
        {
            lock (gate)
                index.Copy(number, block);
            foreach (var (id, slot) in block)
            {
                if (slot.Owed is LogDebts several)
                    yield return new(id, slot.Bytes, [.. several.Debts], several.Receipt);
                else
                    yield return new(id, slot.Bytes, [new((string)slot.Owed!, slot.PacketId, slot.Released)], null);
            }
        }
    }

    /// <summary>All sessions have back what is theirs.</summary>
    public void Recovered()
    {
        lock (gate)
        {
            IsRecovering = false;
            TidySoon();
        }
    }

    void Apply(ReadOnlySpan<byte> record, long position, LogRecord.Keys keys)
    {
        StretchOf(position).Bytes += record.Length;
        logBytes += record.Length;
        var reader = new PacketReader(record);
        var kind = reader.Byte();
        var id = LogRecord.ReadLong(ref reader);
        if (id > firstId)
            throw new InvalidDataException($"The log has message {id}, which this data folder's tables know nothing of. Restore both from one backup.");
        ref var slot = ref index.Find(id);
        var known = !Unsafe.IsNullRef(ref slot);
        if (kind == LogRecord.Kept)
        {
            // A moved message stands twice; what was acknowledged before the second is not in it.
            if (known)
                Remove(id, slot);
            Restore(id, position, record.Length, ref reader, keys);
        }
        else if (known && Apply(kind, ref slot, ref reader, keys))
        {
            Remove(id, slot);
        }
    }

    void Restore(long id, long position, int bytes, ref PacketReader reader, LogRecord.Keys keys)
    {
        reader.Binary();
        var receiptSession = reader.Binary();
        var receiptId = reader.UInt16();
        var count = reader.VariableInteger();
        ref var slot = ref index.Put(id);
        (slot.Position, slot.Bytes, slot.PacketId, slot.Released) = (LogSlot.Unplaced, bytes, 0, false);
        if (count == 1 && receiptSession.IsEmpty)
        {
            (slot.Owed, slot.PacketId, slot.Released) = (keys.Of(reader.Binary()), reader.UInt16(), reader.Byte() == 1);
        }
        else
        {
            var debts = new LogDebts { Receipt = receiptSession.IsEmpty ? null : new(keys.Of(receiptSession), receiptId) };
            for (; count > 0; count--)
                debts.Debts.Add(new(keys.Of(reader.Binary()), reader.UInt16(), reader.Byte() == 1));
            slot.Owed = debts;
        }
        Settle(ref slot, position);
    }

    /// <returns>Whether nothing of the record is needed any more.</returns>
    static bool Apply(byte kind, ref LogSlot slot, ref PacketReader reader, LogRecord.Keys keys)
    {
        if (kind == LogRecord.ReceiptDone)
        {
            if (slot.Owed is not LogDebts owed)
                return false;
            owed.Receipt = null;
            return owed.IsDone;
        }
        var session = keys.Of(reader.Binary());
        switch (kind)
        {
            case LogRecord.Release:
                TryRelease(ref slot, session);
                return false;
            case LogRecord.Move:
                Move(ref slot, session, new(keys.Of(reader.Binary()), reader.UInt16()));
                return false;
            case LogRecord.Acknowledge when slot.Owed is LogDebts debts:
                debts.Debts.RemoveAll(d => d.Session == session);
                return debts.IsDone;
            case LogRecord.Acknowledge:
                return (string)slot.Owed! == session;
            default:
                throw new InvalidDataException($"The log has a record of the unknown kind {kind}: it was written by a newer version.");
        }
    }
}

/// <summary>What the log still holds of one record.</summary>
/// <param name="Bytes">Of the record.</param>
sealed record Recovered(long Id, int Bytes, IReadOnlyList<Debt> Debts, Receipt? Receipt);
