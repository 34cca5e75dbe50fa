using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Althing.Mqtt;

/// <summary>A growing run of encoded packets. Used by one thread at a time; its memory is pooled, and taken with the first byte.</summary>
public sealed class PacketBuffer(int capacity = 1024) : IDisposable
{
    byte[] bytes = [];
    int length;

    public int Length => length;
    public ReadOnlyMemory<byte> Written => bytes.AsMemory(0, length);

    public void Clear() => length = 0;

    public void Byte(byte value) => Grow(1)[0] = value;
    public void UInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Grow(2), value);
    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Grow(4), value);
    public void Raw(ReadOnlySpan<byte> value) => value.CopyTo(Grow(value.Length));

    public void Binary(ReadOnlySpan<byte> value)
    {
        UInt16(checked((ushort)value.Length));
        Raw(value);
    }

    public void String(string value)
    {
        var count = Encoding.UTF8.GetByteCount(value);
        UInt16(checked((ushort)count));
        Encoding.UTF8.GetBytes(value, Grow(count));
    }

    public void VariableInteger(int value)
    {
        do
        {
            var digit = (byte)(value & 0x7F);
            value >>= 7;
            Byte(value > 0 ? (byte)(digit | 0x80) : digit);
        }
        while (value > 0);
    }

    /// <summary>Begins something whose length stands before it in variable form; give the mark to <see cref="EndLength"/>.</summary>
    public int BeginLength()
    {
        Grow(4);
        return length;
    }

    /// <summary>Writes the length in front of what came since the mark, closing the gap.</summary>
    public void EndLength(int mark)
    {
        var count = length - mark;
        length = mark - 4;
        VariableInteger(count);
        if (length != mark)
            bytes.AsSpan(mark, count).CopyTo(bytes.AsSpan(length));
        length += count;
    }

    /// <summary>Changes two bytes written before: the packet identifier of a packet encoded once for many.</summary>
    public void PatchUInt16(int at, ushort value) => BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(at, 2), value);

    /// <summary>Changes bytes written before.</summary>
    public void Patch(int at, ReadOnlySpan<byte> value) => value.CopyTo(bytes.AsSpan(at, value.Length));

    Span<byte> Grow(int count)
    {
        if (bytes.Length - length < count)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(bytes.Length * 2, capacity), length + count));
            bytes.AsSpan(0, length).CopyTo(larger);
            Release();
            bytes = larger;
        }
        var span = bytes.AsSpan(length, count);
        length += count;
        return span;
    }

    void Release()
    {
        if (bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(bytes);
    }

    /// <summary>Gives the memory back. What is written afterwards takes some again.</summary>
    public void Dispose()
    {
        Release();
        (bytes, length) = ([], 0);
    }
}
