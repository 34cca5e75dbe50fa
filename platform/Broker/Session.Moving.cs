using Althing.Mqtt;

namespace Althing.Broker;

/// <summary>A session that goes to another node of the cluster, or came from one.</summary>
sealed partial class Session
{
    HashSet<long>? handed;

    /// <summary>It came from another node while this process ran: the log of an earlier life of the process has nothing of it.</summary>
    public bool IsInstalled { get; init; }

    /// <summary>The dead node that it was on; null for all others.</summary>
    public string? AdoptedFrom { get; init; }

    /// <summary>The version of its row that this node wrote last; 0 when there is none, -1 when it is not known.</summary>
    public long RowVersion { get; set; }

    /// <summary>One write of its row at a time; used in a cluster alone.</summary>
    public SemaphoreSlim Saving => saving ??= Interlocked.CompareExchange(ref saving, new(1), null) ?? saving;
    SemaphoreSlim? saving;

    /// <summary>Since when another node is taking it; it gathers what comes for it, and no more is written of it here.</summary>
    public DateTimeOffset? MovingSince { get; private set; }

    public bool IsMoving => MovingSince is not null;

    /// <summary>The other node did not take it.</summary>
    public void TakeBack() => MovingSince = null;

    /// <summary>Says all that another node needs to go on with it.</summary>
    public async Task<Handover> HandOver()
    {
        List<(Waiting Waiting, bool Released)> owed;
        ushort[] receipts;
        await Saving.WaitAsync();
        lock (gate)
        {
            MovingSince = time.GetUtcNow();
            handed = [];
            owed = Owed();
            receipts = received is null ? [] : [.. received.Keys];
        }
        Saving.Release();
        return new()
        {
            ExpirySeconds = (long)Expiry.TotalSeconds,
            ConnectNumber = ConnectNumber,
            Subscriptions = [.. Subscriptions.Select(SubscriptionRecord.Of)],
            Debts = await Encode(owed),
            Receipts = receipts,
        };
    }

    /// <summary>Another node has it now: ends it here and answers what came after <see cref="HandOver"/>.</summary>
    public async Task<IReadOnlyList<HandedDebt>> LetGo()
    {
        List<(Waiting Waiting, bool Released)> rest;
        lock (gate)
            rest = Owed();
        var encoded = await Encode(rest);
        // Nothing more comes: its subscriptions are gone.
        foreach (var (message, _) in End())
            log.Acknowledge(message.LogId, Key);
        // Asked for again after this node's death, they would come twice.
        await log.Flush();
        return encoded;
    }

    /// <summary>What the log owes it and was not handed over yet, in the order of delivery. Called under the lock.</summary>
    List<(Waiting, bool)> Owed()
    {
        List<(Waiting, bool)> owed = [];
        foreach (var entry in inflight.All)
        {
            if (entry.Message.LogId != 0 && handed!.Add(entry.Message.LogId))
                owed.Add((new(entry.Message, entry.Message.LogId, null, 0, entry.QoS == 2 ? entry.PacketId : (ushort)0, MaybeSent: true), entry.Released));
        }
        foreach (var waiting in queue)
        {
            if (waiting.LogId != 0 && handed!.Add(waiting.LogId))
                owed.Add((waiting with { Message = ContentOf(waiting) }, false));
        }
        return owed;
    }

    async Task<IReadOnlyList<HandedDebt>> Encode(List<(Waiting Waiting, bool Released)> owed)
    {
        const int step = 512;
        List<HandedDebt> encoded = [];
        using var buffer = new PacketBuffer();
        foreach (var part in owed.Chunk(step))
        {
            List<long> missing = [.. part.Where(o => o.Waiting.Message is null).Select(o => o.Waiting.LogId)];
            var loaded = missing.Zip(await log.Load(missing)).ToDictionary(l => l.First, l => l.Second);
            foreach (var (waiting, released) in part)
            {
                if ((waiting.Message ?? loaded[waiting.LogId]) is not { } message)
                    continue;
                LogRecord.Write(buffer, waiting.LogId, Account, message, [], null);
                encoded.Add(new(waiting.PacketId, released, waiting.MaybeSent, buffer.Written.ToArray()));
            }
        }
        return encoded;
    }
}
