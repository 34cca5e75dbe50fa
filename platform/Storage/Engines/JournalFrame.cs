using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Althing.Storage.Engines;

/// <summary>How a record stands in a file: length, checksum, payload.</summary>
static class JournalFrame
{
    public const int HeaderBytes = 8;

    /// <summary>CRC-32C of the length and the payload, by the processor's own instruction where it has one.</summary>
    public static uint Crc(ReadOnlySpan<byte> record)
    {
        var crc = BitOperations.Crc32C(~0u, (uint)record.Length);
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(record))
            crc = BitOperations.Crc32C(crc, word);
        foreach (var single in record[(record.Length & ~7)..])
            crc = BitOperations.Crc32C(crc, single);
        return ~crc;
    }
}

/// <summary>Framed records that are written together, and where some of them begin.</summary>
sealed class FrameBuffer
{
    /// <summary>A buffer that grew beyond is given back when it is written.</summary>
    const int KeptBytesMax = 8 << 20;
    const int FirstBytes = 64 << 10;

    byte[] bytes = new byte[FirstBytes];

    public int Length { get; private set; }
    public int Count { get; private set; }
    public ReadOnlySpan<byte> Written => bytes.AsSpan(0, Length);

    /// <summary>Every so often, where a record begins.</summary>
    public List<(int Index, int Bytes)> Offsets { get; } = [];

    /// <returns>The record's place among those here.</returns>
    public int Add(ReadOnlySpan<byte> record, uint crc)
    {
        var end = Length + JournalFrame.HeaderBytes + record.Length;
        if (end > bytes.Length)
            Array.Resize(ref bytes, Math.Max(end, bytes.Length * 2));
        var span = bytes.AsSpan(Length, end - Length);
        BinaryPrimitives.WriteInt32LittleEndian(span, record.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(span[4..], crc);
        record.CopyTo(span[JournalFrame.HeaderBytes..]);
        if (Offsets.Count == 0 || Length - Offsets[^1].Bytes >= JournalSegment.BlockBytes)
            Offsets.Add((Count, Length));
        Length = end;
        return Count++;
    }

    public void Clear()
    {
        (Length, Count) = (0, 0);
        Offsets.Clear();
        if (bytes.Length > KeptBytesMax)
            bytes = new byte[FirstBytes];
    }
}

/// <summary>Reads records in order through one window, which is used again.</summary>
sealed class JournalReader(SafeFileHandle handle, int windowBytes)
{
    byte[] window = new byte[windowBytes];
    long windowAt;
    int start;
    int end;

    /// <summary>Where the next record begins in the file.</summary>
    public long Offset => windowAt + start;

    public void Seek(long offset) => (windowAt, start, end) = (offset, 0, 0);

    /// <summary>The next record, valid until the next call; false at the end or where bytes are no record.</summary>
    public bool Next(out ReadOnlyMemory<byte> record)
    {
        record = default;
        if (!Have(JournalFrame.HeaderBytes))
            return false;
        var length = BinaryPrimitives.ReadInt32LittleEndian(window.AsSpan(start));
        var crc = BinaryPrimitives.ReadUInt32LittleEndian(window.AsSpan(start + 4));
        if (length is < 0 or > FileJournal.RecordBytesMax || !Have(JournalFrame.HeaderBytes + length))
            return false;
        var payload = window.AsMemory(start + JournalFrame.HeaderBytes, length);
        if (JournalFrame.Crc(payload.Span) != crc)
            return false;
        record = payload;
        start += JournalFrame.HeaderBytes + length;
        return true;
    }

    bool Have(int count)
    {
        if (end - start >= count)
            return true;
        var rest = end - start;
        if (count > window.Length)
        {
            var larger = new byte[Math.Max(count, windowBytes)];
            window.AsSpan(start, rest).CopyTo(larger);
            window = larger;
        }
        else
        {
            window.AsSpan(start, rest).CopyTo(window);
        }
        windowAt += start;
        (start, end) = (0, rest);
        while (end < count)
        {
            var read = RandomAccess.Read(handle, window.AsSpan(end), windowAt + end);
            if (read == 0)
                return false;
            end += read;
        }
        return true;
    }
}
