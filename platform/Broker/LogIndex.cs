using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Althing.Broker;

/// <summary>What is known in memory of one record of the log; its content is in the journal.</summary>
struct LogSlot
{
    /// <summary>Where it is in the journal; <see cref="Unplaced"/> until it is on disk.</summary>
    public const long Unplaced = -1;

    public long Position;

    /// <summary>The key of the one session that is owed it, or <see cref="LogDebts"/>; null in a free slot.</summary>
    public object? Owed;
    public int Bytes;

    /// <summary>Of the one session.</summary>
    public ushort PacketId;
    public bool Released;
}

/// <summary>Several sessions that are owed one message, or a sender that has not released it.</summary>
sealed class LogDebts
{
    public List<Debt> Debts { get; } = [];
    public Receipt? Receipt { get; set; }
    public bool IsDone => Debts.Count == 0 && Receipt is null;

    public int Find(string session)
    {
        for (var i = 0; i < Debts.Count; i++)
        {
            if (string.Equals(Debts[i].Session, session, StringComparison.Ordinal))
                return i;
        }
        return -1;
    }
}

/// <summary>How far the delivery to one session has come.</summary>
readonly record struct Debt(string Session, ushort PacketId, bool Released);

/// <summary>
/// The live records of the log by number. Numbers ascend and most records live shortly, so they stand in small blocks that come and go.
/// A waiting message costs its slot of 24 bytes. Guarded by the log.
/// </summary>
sealed class LogIndex
{
    const int BlockBits = 6;
    const int BlockSlots = 1 << BlockBits;
    const int SpareMax = 1024;

    readonly Dictionary<long, Block> blocks = [];
    readonly Stack<Block> spare = new();
    Block? last;
    long lastNumber = -1;

    sealed class Block
    {
        public LogSlot[] Slots { get; } = new LogSlot[BlockSlots];
        public int Count { get; set; }
    }

    public long Count { get; private set; }

    /// <summary>The slot of a number, a new one if it has none.</summary>
    public ref LogSlot Put(long id)
    {
        var number = id >> BlockBits;
        if (number != lastNumber || last is null)
        {
            ref var block = ref CollectionsMarshal.GetValueRefOrAddDefault(blocks, number, out _);
            if (block is null && !spare.TryPop(out block))
                block = new();
            (last, lastNumber) = (block, number);
        }
        ref var slot = ref last.Slots[id & (BlockSlots - 1)];
        if (slot.Owed is null)
        {
            last.Count++;
            Count++;
        }
        return ref slot;
    }

    /// <summary>The slot of a number, or a null reference.</summary>
    public ref LogSlot Find(long id)
    {
        var number = id >> BlockBits;
        var block = number == lastNumber ? last : blocks.GetValueOrDefault(number);
        if (block is null)
            return ref Unsafe.NullRef<LogSlot>();
        ref var slot = ref block.Slots[id & (BlockSlots - 1)];
        return ref slot.Owed is null ? ref Unsafe.NullRef<LogSlot>() : ref slot;
    }

    public void Remove(long id)
    {
        var number = id >> BlockBits;
        if (!blocks.TryGetValue(number, out var block))
            return;
        block.Slots[id & (BlockSlots - 1)] = default;
        Count--;
        if (--block.Count > 0)
            return;
        blocks.Remove(number);
        if (number == lastNumber)
            (last, lastNumber) = (null, -1);
        if (spare.Count < SpareMax)
            spare.Push(block);
    }

    /// <summary>The numbers of blocks that hold records before a number, in order.</summary>
    public long[] BlocksBefore(long id)
    {
        long[] numbers = [.. blocks.Keys.Where(n => n << BlockBits < id)];
        Array.Sort(numbers);
        return numbers;
    }

    /// <summary>The live records of a block.</summary>
    public void Copy(long number, List<(long Id, LogSlot Slot)> to)
    {
        to.Clear();
        if (!blocks.TryGetValue(number, out var block))
            return;
        for (var i = 0; i < BlockSlots; i++)
        {
            if (block.Slots[i].Owed is not null)
                to.Add(((number << BlockBits) + i, block.Slots[i]));
        }
    }
}
