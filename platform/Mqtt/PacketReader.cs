using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Althing.Mqtt;

/// <summary>Reads the data types of MQTT (section 1.5) from the body of one packet. Hot path: nothing is allocated but strings asked for.</summary>
public ref struct PacketReader(ReadOnlySpan<byte> body)
{
    ReadOnlySpan<byte> rest = body;

    public readonly bool AtEnd => rest.IsEmpty;
    public readonly int Remaining => rest.Length;

    public byte Byte() => Take(1)[0];
    public ushort UInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));
    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    /// <summary>A variable byte integer of at most four bytes [MQTT-1.5.5-1].</summary>
    public int VariableInteger()
    {
        var value = 0;
        for (var shift = 0; shift <= 21; shift += 7)
        {
            var digit = Byte();
            value |= (digit & 0x7F) << shift;
            if (digit < 0x80)
                return shift > 0 && digit == 0 ? throw Malformed("A variable byte integer is not in its shortest form.") : value;
        }
        throw Malformed("A variable byte integer has more than four bytes.");
    }

    /// <summary>Bytes behind a two-byte length.</summary>
    public ReadOnlySpan<byte> Binary() => Take(UInt16());

    /// <summary>A UTF-8 string as bytes, checked [MQTT-1.5.4-1, MQTT-1.5.4-2].</summary>
    public ReadOnlySpan<byte> Utf8()
    {
        var bytes = Binary();
        if (!Utf8Text.IsValid(bytes))
            throw Malformed("A string is not valid UTF-8, or has the null character.");
        return bytes;
    }

    public string String() => Encoding.UTF8.GetString(Utf8());

    public ReadOnlySpan<byte> All()
    {
        var all = rest;
        rest = default;
        return all;
    }

    public ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)rest.Length)
            throw Malformed("The packet ends before its content does.");
        var taken = rest[..count];
        rest = rest[count..];
        return taken;
    }

    public readonly void End()
    {
        if (!rest.IsEmpty)
            throw Malformed("The packet goes on behind its content.");
    }

    static MalformedPacketException Malformed(string message) => new(ReasonCode.MalformedPacket, message);
}

/// <summary>What MQTT asks of strings.</summary>
public static class Utf8Text
{
    /// <summary>Valid UTF-8 (which has no surrogates) without U+0000.</summary>
    public static bool IsValid(ReadOnlySpan<byte> bytes) => !bytes.Contains((byte)0) && System.Text.Unicode.Utf8.IsValid(bytes);
}
