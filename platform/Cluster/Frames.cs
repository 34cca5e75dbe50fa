using System.Buffers.Binary;
using System.Text;
using Althing.Mqtt;

namespace Althing.Cluster;

/// <summary>What nodes say to each other: a length, a kind, and what the kind needs.</summary>
enum FrameKind : byte
{
    Challenge = 1, Hello, Welcome, Filters, Known, Batch, Taken, Request, Reply, QuietBatch,
}

/// <summary>Frames as bytes; <see cref="FrameReader"/> reads them.</summary>
static class Frames
{
    /// <summary>A session that is handed over may have all that may wait for it.</summary>
    public const int BytesMax = 512 << 20;
    public const int HeaderBytes = 5;

    public static byte[] Make(FrameKind kind, params ReadOnlySpan<byte[]> parts)
    {
        var length = 0;
        foreach (var part in parts)
            length += part.Length;
        var frame = new byte[HeaderBytes + length];
        BinaryPrimitives.WriteInt32BigEndian(frame, length);
        frame[4] = (byte)kind;
        var at = HeaderBytes;
        foreach (var part in parts)
        {
            part.CopyTo(frame, at);
            at += part.Length;
        }
        return frame;
    }

    public static byte[] Long(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes;
    }

    public static long Long(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt64BigEndian(bytes);

    /// <summary>A text of up to 65535 bytes, after its length.</summary>
    public static byte[] Text(string value)
    {
        var bytes = new byte[2 + Encoding.UTF8.GetByteCount(value)];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, checked((ushort)(bytes.Length - 2)));
        Encoding.UTF8.GetBytes(value, bytes.AsSpan(2));
        return bytes;
    }

    /// <summary>Writes the length of what is in the buffer behind the header that <see cref="Begin"/> left room for.</summary>
    public static void End(PacketBuffer buffer, FrameKind kind)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        BinaryPrimitives.WriteInt32BigEndian(header, buffer.Length - HeaderBytes);
        header[4] = (byte)kind;
        buffer.Patch(0, header);
    }

    public static void Begin(PacketBuffer buffer)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        buffer.Raw(header);
    }
}
