using System.Text;
using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>The log's records as bytes: a kind, the message's number, and what the kind needs.</summary>
static class LogRecord
{
    public const byte Kept = 1;
    public const byte Acknowledge = 2;
    public const byte Release = 3;
    public const byte ReceiptDone = 4;
    public const byte Move = 5;

    public static void Begin(PacketBuffer buffer, byte kind, long id)
    {
        buffer.Clear();
        buffer.Byte(kind);
        WriteLong(buffer, id);
    }

    public static void Write(PacketBuffer buffer, long id, AccountId account, Message? message, IReadOnlyList<Share> shares, Receipt? receipt)
    {
        Begin(buffer, Kept, id);
        buffer.String(account.Value);
        buffer.String(receipt?.Session ?? "");
        buffer.UInt16(receipt?.PacketId ?? 0);
        buffer.VariableInteger(shares.Count);
        for (var i = 0; i < shares.Count; i++)
            Write(buffer, new Debt(shares[i].Session, shares[i].PacketId, Released: false));
        if (message is not null)
            Write(buffer, message);
    }

    /// <summary>Writes a message's record again, with what is owed now.</summary>
    public static void Rewrite(PacketBuffer buffer, ReadOnlySpan<byte> record, in LogSlot slot)
    {
        var reader = new PacketReader(record);
        buffer.Clear();
        buffer.Raw(reader.Take(9));
        buffer.Binary(reader.Binary());
        SkipDebts(ref reader);
        var debts = slot.Owed as LogDebts;
        buffer.String(debts?.Receipt?.Session ?? "");
        buffer.UInt16(debts?.Receipt?.PacketId ?? 0);
        buffer.VariableInteger(debts?.Debts.Count ?? 1);
        if (debts is null)
            Write(buffer, new Debt((string)slot.Owed!, slot.PacketId, slot.Released));
        foreach (var debt in debts?.Debts ?? [])
            Write(buffer, debt);
        buffer.Raw(reader.All());
    }

    static void Write(PacketBuffer buffer, in Debt debt)
    {
        buffer.String(debt.Session);
        buffer.UInt16(debt.PacketId);
        buffer.Byte(debt.Released ? (byte)1 : (byte)0);
    }

    static void Write(PacketBuffer buffer, Message message)
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

    static void SkipDebts(ref PacketReader reader)
    {
        reader.Binary();
        reader.Take(2);
        for (var count = reader.VariableInteger(); count > 0; count--)
        {
            reader.Binary();
            reader.Take(3);
        }
    }

    /// <summary>The message of a record of the kind <see cref="Kept"/>.</summary>
    public static Message ReadMessage(ReadOnlySpan<byte> record)
    {
        var reader = new PacketReader(record);
        reader.Take(1);
        var id = ReadLong(ref reader);
        reader.Binary();
        SkipDebts(ref reader);
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

    public static long ReadLong(ref PacketReader reader) => ((long)reader.UInt32() << 32) | reader.UInt32();

    /// <summary>Keys of sessions as strings, each of them once.</summary>
    public sealed class Keys
    {
        readonly Dictionary<string, string> known = new(StringComparer.Ordinal);
        readonly char[] characters = new char[ushort.MaxValue];

        public string Of(ReadOnlySpan<byte> utf8)
        {
            var key = characters.AsSpan(0, Encoding.UTF8.GetChars(utf8, characters));
            var lookup = known.GetAlternateLookup<ReadOnlySpan<char>>();
            if (lookup.TryGetValue(key, out var same))
                return same;
            var text = key.ToString();
            known.Add(text, text);
            return text;
        }
    }
}
