using System.Collections.Concurrent;
using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>
/// The log that QoS 1 messages for persistent sessions are in before their publisher is told. It holds messages with the sessions that need
/// them, and acknowledgements by those sessions; what all have acknowledged is trimmed.
/// </summary>
sealed class MessageLog(IJournal journal)
{
    const byte MessageKind = 1;
    const byte AcknowledgeKind = 2;

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

    sealed class Entry(Message message, AccountId account, HashSet<string> sessions)
    {
        public Message Message { get; } = message;
        public AccountId Account { get; } = account;
        public HashSet<string> Sessions { get; } = sessions;
        public long Position { get; set; } = long.MaxValue;
    }

    /// <summary>Appends a message for these sessions; completes when it is on disk. The order of calls is the order of the log.</summary>
    public async ValueTask Append(AccountId account, Message message, IEnumerable<Session> sessions, CancellationToken cancel)
    {
        Entry entry;
        ValueTask<long> appended;
        lock (gate)
        {
            message.LogId = ++lastId;
            entry = new(message, account, [.. sessions.Select(s => s.Key)]);
            live.Add(message.LogId, entry);
            appended = journal.Append(Encode(message.LogId, entry), cancel);
        }
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
        var buffer = new PacketBuffer(128);
        lock (gate)
        {
            if (!live.TryGetValue(id, out var entry) || !entry.Sessions.Remove(session))
                return;
            if (entry.Sessions.Count == 0)
                live.Remove(id);
            buffer.Byte(AcknowledgeKind);
            WriteLong(buffer, id);
            buffer.String(session);
            Watch(journal.Append(buffer.Written.ToArray(), CancellationToken.None).AsTask());
            if (++acknowledgements % TrimEvery == 0)
                Trim();
        }
    }

    /// <summary>A session is gone: nothing is kept for it any more.</summary>
    public void Forget(string session)
    {
        List<long> ids;
        lock (gate)
            ids = [.. live.Where(e => e.Value.Sessions.Contains(session)).Select(e => e.Key)];
        foreach (var id in ids)
            Acknowledge(id, session);
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
                _ = Move(id, entry);
            return;
        }
        Watch(journal.Trim(first.Position, CancellationToken.None).AsTask());
    }

    async Task Move(long id, Entry entry)
    {
        var position = await journal.Append(Encode(id, entry), CancellationToken.None);
        lock (gate)
            entry.Position = position;
    }

    /// <summary>Reads the log after a restart and answers what is still owed, oldest first.</summary>
    public async Task<IReadOnlyList<(AccountId Account, Message Message, IReadOnlyList<string> Sessions)>> Recover(CancellationToken cancel)
    {
        await foreach (var (position, record) in journal.Replay(0, cancel))
        {
            lastPosition = position;
            Apply(record.Span, position);
        }
        return [.. live.Values.Select(e => (e.Account, e.Message, (IReadOnlyList<string>)[.. e.Sessions]))];
    }

    void Apply(ReadOnlySpan<byte> record, long position)
    {
        var reader = new PacketReader(record);
        var kind = reader.Byte();
        var id = ReadLong(ref reader);
        lastId = Math.Max(lastId, id);
        if (kind == AcknowledgeKind)
        {
            if (live.TryGetValue(id, out var entry) && entry.Sessions.Remove(reader.String()) && entry.Sessions.Count == 0)
                live.Remove(id);
            return;
        }
        var decoded = Decode(id, ref reader);
        decoded.Position = position;
        // A compacted message stands twice; what was acknowledged before the second is not in it.
        live[id] = decoded;
    }

    static ReadOnlyMemory<byte> Encode(long id, Entry entry)
    {
        using var buffer = new PacketBuffer(entry.Message.Payload.Length + 256);
        var message = entry.Message;
        buffer.Byte(MessageKind);
        WriteLong(buffer, id);
        buffer.String(entry.Account.Value);
        buffer.UInt16((ushort)entry.Sessions.Count);
        foreach (var session in entry.Sessions)
            buffer.String(session);
        buffer.String(message.Topic);
        buffer.Byte((byte)(message.QoS | (message.Retain ? 4 : 0)));
        WriteLong(buffer, message.Received.ToUnixTimeMilliseconds());
        WriteLong(buffer, message.Expires?.ToUnixTimeMilliseconds() ?? 0);
        buffer.String(message.Source?.ClientId ?? "");
        buffer.String(message.Source?.PrincipalArn ?? "");
        PacketProperties.Write(buffer, message.Properties);
        buffer.Raw(message.Payload);
        return buffer.Written.ToArray();
    }

    static Entry Decode(long id, ref PacketReader reader)
    {
        var account = new AccountId(reader.String());
        HashSet<string> sessions = [];
        for (var count = reader.UInt16(); count > 0; count--)
            sessions.Add(reader.String());
        var topic = reader.String();
        var flags = reader.Byte();
        var received = DateTimeOffset.FromUnixTimeMilliseconds(ReadLong(ref reader));
        var expires = ReadLong(ref reader);
        var (clientId, arn) = (reader.String(), reader.String());
        var properties = PacketProperties.Read(ref reader);
        var message = new Message
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
        return new(message, account, sessions);
    }

    static void WriteLong(PacketBuffer buffer, long value)
    {
        buffer.UInt32((uint)(value >> 32));
        buffer.UInt32((uint)value);
    }

    static long ReadLong(ref PacketReader reader) => ((long)reader.UInt32() << 32) | reader.UInt32();
}
