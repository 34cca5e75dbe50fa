using System.Diagnostics.CodeAnalysis;

namespace Althing.Broker;

/// <summary>A message that was sent and is not acknowledged. QoS 2 has two steps: at the second the client has it and must release it.</summary>
sealed class InFlight(ushort packetId, Message message, in Target target)
{
    public ushort PacketId { get; } = packetId;
    public Message Message { get; } = message;
    public Target Target { get; } = target;
    public int QoS { get; } = Math.Min(message.QoS, target.QoS);
    public bool Released { get; set; }

    /// <summary>It went over the present connection.</summary>
    public bool OnWire { get; set; }

    public InFlight? Next { get; set; }
    public InFlight? Previous { get; set; }
}

/// <summary>What is in flight to one client, by packet identifier and in the order in which it was sent first. Guarded by the session.</summary>
sealed class InFlightList
{
    Dictionary<ushort, InFlight>? byId;
    InFlight? first, last;

    /// <summary>The oldest that has not gone over the present connection; all after it have not either.</summary>
    InFlight? unsent;

    public int Count => byId?.Count ?? 0;
    public bool HasUnsent => unsent is not null;

    public bool Has(ushort packetId) => byId is not null && byId.ContainsKey(packetId);

    public InFlight? Find(ushort packetId) => byId?.GetValueOrDefault(packetId);

    public void Add(InFlight entry)
    {
        (byId ??= []).Add(entry.PacketId, entry);
        entry.Previous = last;
        if (last is null)
            first = entry;
        else
            last.Next = entry;
        last = entry;
    }

    public void Remove(InFlight entry)
    {
        byId!.Remove(entry.PacketId);
        if (unsent == entry)
            unsent = entry.Next;
        if (entry.Previous is { } before)
            before.Next = entry.Next;
        else
            first = entry.Next;
        if (entry.Next is { } after)
            after.Previous = entry.Previous;
        else
            last = entry.Previous;
    }

    /// <summary>There is a new connection, over which nothing has gone.</summary>
    public void Rewind()
    {
        for (var entry = first; entry is not null; entry = entry.Next)
            entry.OnWire = false;
        unsent = first;
    }

    /// <summary>The next that must go again.</summary>
    public bool TryTakeUnsent([NotNullWhen(true)] out InFlight? entry)
    {
        entry = unsent;
        unsent = unsent?.Next;
        return entry is not null;
    }

    /// <summary>Everything, oldest first.</summary>
    public IEnumerable<InFlight> All
    {
        get
        {
            for (var entry = first; entry is not null; entry = entry.Next)
                yield return entry;
        }
    }

    /// <summary>Takes everything out, oldest first.</summary>
    public IEnumerable<InFlight> TakeAll()
    {
        var entry = first;
        (first, last, unsent, byId) = (null, null, null, null);
        for (; entry is not null; entry = entry.Next)
            yield return entry;
    }
}
