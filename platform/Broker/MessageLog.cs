using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>
/// The log that keeps what persistent sessions were promised. A record of it is a message with the sessions that are owed it, or the packet
/// identifier of a QoS 2 message whose sender has not released it yet, or both; later records say what became of it. What nobody needs any
/// more is trimmed.
/// </summary>
sealed class MessageLog(IJournal journal)
{
    const byte MessageKind = 1;
    const byte AcknowledgeKind = 2;
    const byte ReleaseKind = 3;
    const byte ReceiptDoneKind = 4;
    const byte MoveKind = 5;

    /// <summary>Acknowledgements between two looks at whether the log's beginning can go.</summary>
    const int TrimEvery = 4096;

    /// <summary>Records in the log for each one still needed, beyond which those needed are written again at its end.</summary>
    const int CompactionRatio = 8;
    const int CompactionMin = 100_000;

    readonly Lock gate = new();
    readonly SortedDictionary<long, Entry> live = [];
    long lastId;
    long lastPosition;
    int acknowledgements;

    sealed class Entry(AccountId account, Message? message, Receipt? receipt)
    {
        public AccountId Account { get; } = account;
        public Message? Message { get; } = message;
        public Dictionary<string, Debt> Debts { get; } = new(StringComparer.Ordinal);
        public Receipt? Receipt { get; set; } = receipt;
        public long Position { get; set; } = long.MaxValue;
        public bool IsDone => Debts.Count == 0 && Receipt is null;
    }

    /// <summary>How far the delivery to one session has come.</summary>
    readonly record struct Debt(ushort PacketId, bool Released);

    /// <summary>Appends a message for these sessions; its task completes when it is on disk. The order of calls is the order of the log.</summary>
    public Appended Append(AccountId account, Message? message, IReadOnlyList<Share> shares, Receipt? receipt, CancellationToken cancel)
    {
        var entry = new Entry(account, message, receipt);
        foreach (var share in shares)
            entry.Debts[share.Session] = new(share.PacketId, Released: false);
        lock (gate)
        {
            var id = ++lastId;
            if (message is not null)
                message.LogId = id;
            live.Add(id, entry);
            return new(id, Place(entry, journal.Append(Encode(id, entry), cancel)));
        }
    }

    async Task Place(Entry entry, ValueTask<long> appended)
    {
        var position = await appended;
        lock (gate)
        {
            entry.Position = position;
            lastPosition = Math.Max(lastPosition, position);
        }
    }

    /// <summary>A session has the message, or will never want it. Not waited for: at worst it is sent again after a crash.</summary>
    public void Acknowledge(long id, string session)
    {
        lock (gate)
        {
            if (!live.TryGetValue(id, out var entry) || !entry.Debts.Remove(session))
                return;
            Watch(Note(AcknowledgeKind, id, b => b.String(session)));
            Settle(id, entry);
        }
    }

    /// <summary>A session's client has received its QoS 2 message. On disk before PUBREL, because the client forgets the identifier then.</summary>
    public Task Release(long id, string session)
    {
        lock (gate)
        {
            if (!live.TryGetValue(id, out var entry) || !entry.Debts.TryGetValue(session, out var debt))
                return Task.CompletedTask;
            entry.Debts[session] = debt with { Released = true };
            return Note(ReleaseKind, id, b => b.String(session));
        }
    }

    /// <summary>A sender released its QoS 2 message. On disk before PUBCOMP, because the sender may use the identifier anew then.</summary>
    public Task Complete(long id)
    {
        lock (gate)
        {
            if (!live.TryGetValue(id, out var entry) || entry.Receipt is null)
                return Task.CompletedTask;
            entry.Receipt = null;
            var noted = Note(ReceiptDoneKind, id, null);
            Settle(id, entry);
            return noted;
        }
    }

    /// <summary>Gives what one session is owed to another; null when the log has the message no more.</summary>
    /// <param name="from">The session that gives it up; it need not be in the log.</param>
    public Task? Move(long id, string from, Share to)
    {
        lock (gate)
        {
            if (!live.TryGetValue(id, out var entry))
                return null;
            entry.Debts.Remove(from);
            entry.Debts[to.Session] = new(to.PacketId, Released: false);
            return Note(MoveKind, id, b =>
            {
                b.String(from);
                b.String(to.Session);
                b.UInt16(to.PacketId);
            });
        }
    }

    Task Note(byte kind, long id, Action<PacketBuffer>? rest)
    {
        using var buffer = new PacketBuffer(128);
        buffer.Byte(kind);
        WriteLong(buffer, id);
        rest?.Invoke(buffer);
        return journal.Append(buffer.Written.ToArray(), CancellationToken.None).AsTask();
    }

    void Settle(long id, Entry entry)
    {
        if (entry.IsDone)
            live.Remove(id);
        if (++acknowledgements % TrimEvery == 0)
            Trim();
    }

    static void Watch(Task appended) => appended.ContinueWith(t => _ = t.Exception, TaskScheduler.Default);

    void Trim()
    {
        if (live.Count == 0)
        {
            Watch(journal.Trim(lastPosition, CancellationToken.None).AsTask());
            return;
        }
        var first = live.First().Value;
        if (first.Position == long.MaxValue)
            return;
        var span = lastPosition - first.Position;
        if (span > CompactionMin && span / CompactionRatio > live.Count)
        {
            foreach (var (id, entry) in live)
                Watch(Place(entry, journal.Append(Encode(id, entry), CancellationToken.None)));
            return;
        }
        Watch(journal.Trim(first.Position, CancellationToken.None).AsTask());
    }

    /// <summary>Reads the log after a restart and answers what is still owed, oldest first.</summary>
    public async Task<IReadOnlyList<Recovered>> Recover(CancellationToken cancel)
    {
        await foreach (var (position, record) in journal.Replay(0, cancel))
        {
            lastPosition = position;
            Apply(record.Span, position);
        }
        return
        [
            .. live.Select(e => new Recovered(
                e.Key, e.Value.Account, e.Value.Message, e.Value.Receipt, [.. e.Value.Debts.Select(d => (new Share(d.Key, d.Value.PacketId), d.Value.Released))])),
        ];
    }

    void Apply(ReadOnlySpan<byte> record, long position)
    {
        var reader = new PacketReader(record);
        var kind = reader.Byte();
        var id = ReadLong(ref reader);
        lastId = Math.Max(lastId, id);
        if (kind == MessageKind)
        {
            var decoded = Decode(id, ref reader);
            decoded.Position = position;
            // A compacted message stands twice; what was acknowledged before the second is not in it.
            live[id] = decoded;
        }
        else if (live.TryGetValue(id, out var entry))
        {
            Apply(kind, entry, ref reader);
            if (entry.IsDone)
                live.Remove(id);
        }
    }

    static void Apply(byte kind, Entry entry, ref PacketReader reader)
    {
        if (kind == ReceiptDoneKind)
        {
            entry.Receipt = null;
            return;
        }
        var session = reader.String();
        if (kind == ReleaseKind && entry.Debts.TryGetValue(session, out var debt))
            entry.Debts[session] = debt with { Released = true };
        else if (kind is AcknowledgeKind or MoveKind)
            entry.Debts.Remove(session);
        if (kind == MoveKind)
            entry.Debts[reader.String()] = new(reader.UInt16(), Released: false);
    }

    static ReadOnlyMemory<byte> Encode(long id, Entry entry)
    {
        using var buffer = new PacketBuffer((entry.Message?.Payload.Length ?? 0) + 256);
        buffer.Byte(MessageKind);
        WriteLong(buffer, id);
        buffer.String(entry.Account.Value);
        buffer.String(entry.Receipt?.Session ?? "");
        buffer.UInt16(entry.Receipt?.PacketId ?? 0);
        buffer.VariableInteger(entry.Debts.Count);
        foreach (var (session, debt) in entry.Debts)
        {
            buffer.String(session);
            buffer.UInt16(debt.PacketId);
            buffer.Byte(debt.Released ? (byte)1 : (byte)0);
        }
        if (entry.Message is { } message)
            Encode(buffer, message);
        return buffer.Written.ToArray();
    }

    static void Encode(PacketBuffer buffer, Message message)
    {
        buffer.String(message.Topic);
        buffer.Byte((byte)(message.QoS | (message.Retain ? 4 : 0)));
        WriteLong(buffer, message.Received.ToUnixTimeMilliseconds());
        WriteLong(buffer, message.Expires?.ToUnixTimeMilliseconds() ?? 0);
        buffer.String(message.Source?.ClientId ?? "");
        buffer.String(message.Source?.PrincipalArn ?? "");
        PacketProperties.Write(buffer, message.Properties);
        buffer.Raw(message.Payload);
    }

    static Entry Decode(long id, ref PacketReader reader)
    {
        var account = new AccountId(reader.String());
        var (receiptSession, receiptId) = (reader.String(), reader.UInt16());
        Dictionary<string, Debt> debts = new(StringComparer.Ordinal);
        for (var count = reader.VariableInteger(); count > 0; count--)
            debts[reader.String()] = new(reader.UInt16(), reader.Byte() == 1);
        var message = reader.AtEnd ? null : DecodeMessage(id, ref reader);
        var entry = new Entry(account, message, receiptSession.Length > 0 ? new(receiptSession, receiptId) : null);
        foreach (var (session, debt) in debts)
            entry.Debts[session] = debt;
        return entry;
    }

    static Message DecodeMessage(long id, ref PacketReader reader)
    {
        var topic = reader.String();
        var flags = reader.Byte();
        var received = DateTimeOffset.FromUnixTimeMilliseconds(ReadLong(ref reader));
        var expires = ReadLong(ref reader);
        var (clientId, arn) = (reader.String(), reader.String());
        var properties = PacketProperties.Read(ref reader, AllowedProperties.Publish);
        return new()
        {
            Topic = topic,
            Payload = reader.All().ToArray(),
            QoS = flags & 3,
            Retain = (flags & 4) != 0,
            Received = received,
            Expires = expires == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(expires),
            Source = clientId.Length > 0 ? new(clientId, arn) : null,
            Properties = properties,
            LogId = id,
        };
    }

    static void WriteLong(PacketBuffer buffer, long value)
    {
        buffer.UInt32((uint)(value >> 32));
        buffer.UInt32((uint)value);
    }

    static long ReadLong(ref PacketReader reader) => ((long)reader.UInt32() << 32) | reader.UInt32();
}

/// <summary>A session that is owed a message.</summary>
/// <param name="PacketId">The identifier that a QoS 2 message will have, also after a crash; 0 for QoS 1, which may change it.</param>
readonly record struct Share(string Session, ushort PacketId);

/// <summary>A QoS 2 message that a session's client sent and has not released: sent again, it is not a new one.</summary>
readonly record struct Receipt(string Session, ushort PacketId);

/// <summary>A record's number in the log, and when it is on disk.</summary>
readonly record struct Appended(long Id, Task Durable);

/// <summary>What the log still holds of one record.</summary>
sealed record Recovered(long Id, AccountId Account, Message? Message, Receipt? Receipt, IReadOnlyList<(Share Share, bool Released)> Debts);
