using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>Where records are in the journal, and what becomes of its beginning: nothing needed there is trimmed, little is moved to the end.</summary>
sealed partial class MessageLog
{
    /// <summary>Records of the journal that are looked after together: what is moved in one step.</summary>
    const int StretchBits = 12;

    /// <summary>Times as large as what is needed of it the log may be before its beginning is moved to its end.</summary>
    const int CompactionRatio = 2;

    /// <summary>A log smaller than this is left as it is.</summary>
    const long CompactionBytesMin = 128L << 20;

    readonly Dictionary<long, Stretch> stretches = [];
    long oldest = long.MaxValue;
    long newest = -1;
    long logBytes;
    long liveBytes;
    long trimmed;
    bool tidying;

    sealed class Stretch
    {
        public int Live;
        public long Bytes;
    }

    /// <summary>Bytes of the log, and how many of them are still needed.</summary>
    public (long Bytes, long Live) Size
    {
        get
        {
            lock (gate)
                return (logBytes, liveBytes);
        }
    }

    Stretch StretchOf(long position)
    {
        var number = position >> StretchBits;
        ref var stretch = ref CollectionsMarshal.GetValueRefOrAddDefault(stretches, number, out _);
        oldest = Math.Min(oldest, number);
        newest = Math.Max(newest, number);
        return stretch ??= new();
    }

    /// <summary>A group is on disk, or could not be written: then none of it is in the log.</summary>
    void Place(Filling group)
    {
        lock (gate)
        {
            if (filling == group)
                filling = null;
            var kept = group.Group.Durable.IsCompletedSuccessfully;
            foreach (var (id, at, movedFrom) in group.Records)
            {
                ref var slot = ref index.Find(id);
                if (Unsafe.IsNullRef(ref slot) || slot.Position != movedFrom)
                    continue;
                if (kept)
                    Settle(ref slot, group.Group.First + at);
                else if (movedFrom == LogSlot.Unplaced)
                    index.Remove(id);
            }
            if (!kept)
                return;
            StretchOf(group.Group.First).Bytes += group.Bytes;
            logBytes += group.Bytes;
            TidySoon();
        }
    }

    /// <summary>Notes where a record is now.</summary>
    void Settle(ref LogSlot slot, long position)
    {
        if (slot.Position != LogSlot.Unplaced)
            StretchOf(slot.Position).Live--;
        else
            liveBytes += slot.Bytes;
        slot.Position = position;
        StretchOf(position).Live++;
    }

    void Remove(long id, in LogSlot slot)
    {
        if (slot.Position != LogSlot.Unplaced)
        {
            StretchOf(slot.Position).Live--;
            liveBytes -= slot.Bytes;
        }
        index.Remove(id);
    }

    bool NeedsCompaction => oldest < newest && logBytes > compactionBytesMin && logBytes / CompactionRatio > liveBytes;

    void TidySoon()
    {
        if (tidying || IsRecovering)
            return;
        SkipDead();
        if (oldest << StretchBits <= trimmed && !NeedsCompaction)
            return;
        tidying = true;
        _ = Task.Run(Tidy);
    }

    void SkipDead()
    {
        // The newest is written to; and what is not placed yet will be at its end.
        while (oldest < newest && (!stretches.TryGetValue(oldest, out var stretch) || stretch.Live == 0))
        {
            if (stretch is not null)
                logBytes -= stretch.Bytes;
            stretches.Remove(oldest++);
        }
    }

    /// <summary>Step by step, so that publishers wait for a step at most, in whose disk write they take part.</summary>
    async Task Tidy()
    {
        try
        {
            while (true)
            {
                long first;
                bool compact;
                lock (gate)
                {
                    SkipDead();
                    (first, compact) = (oldest << StretchBits, NeedsCompaction);
                    if (first <= trimmed && !compact)
                        return;
                }
                if (first > trimmed)
                {
                    await journal.Trim(first, CancellationToken.None);
                    trimmed = first;
                }
                if (compact && !await MoveOn(first))
                    return;
            }
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or InvalidDataException or System.Data.Common.DbException)
        {
            // A disk that is full, a database that is away: the next group of records brings us here again.
        }
        finally
        {
            lock (gate)
                tidying = false;
        }
    }

    /// <summary>Writes what is needed of the oldest stretch again at the end, with what is owed now.</summary>
    /// <returns>False when it could not be written.</returns>
    async Task<bool> MoveOn(long first)
    {
        var last = Task.CompletedTask;
        await foreach (var (position, record) in journal.Replay(first, first + (1L << StretchBits), CancellationToken.None))
        {
            if (record.Span[0] != LogRecord.Kept)
                continue;
            lock (gate)
                last = Rewrite(position, record.Span) ?? last;
        }
        await last;
        // On disk is not enough: their places must be known.
        Task known;
        lock (gate)
            known = placed;
        await known;
        lock (gate)
            return !stretches.TryGetValue(first >> StretchBits, out var stretch) || stretch.Live == 0;
    }

    Task? Rewrite(long position, ReadOnlySpan<byte> record)
    {
        var reader = new PacketReader(record[1..]);
        var id = LogRecord.ReadLong(ref reader);
        ref var slot = ref index.Find(id);
        if (Unsafe.IsNullRef(ref slot) || slot.Position != position)
            return null;
        LogRecord.Rewrite(buffer, record, slot);
        return Put(id, position);
    }
}
