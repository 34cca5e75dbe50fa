using System.Buffers;
using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Althing.Storage.Engines;

/// <summary>One file of a journal, and where every so many bytes a record begins in it.</summary>
sealed class JournalSegment(string path, long first)
{
    /// <summary>Bytes between two records whose places are noted: what a single record's reading costs at most, beside itself.</summary>
    public const int BlockBytes = 8 << 10;

    /// <summary>Blocks are read together up to this.</summary>
    const int ReadBytesMax = 1 << 20;

    readonly Lock gate = new();
    readonly List<(long Position, long Offset)> marks = [(first, 0)];

    public string Path { get; } = path;

    /// <summary>The position of its first record.</summary>
    public long First { get; } = first;

    /// <summary>Bytes of whole records; known of the last segment.</summary>
    public long Bytes { get; set; }

    /// <summary>Notes where a record begins, when it is far enough from the last one noted.</summary>
    public void Note(long position, long offset)
    {
        lock (gate)
        {
            if (position > marks[^1].Position && offset - marks[^1].Offset >= BlockBytes)
                marks.Add((position, offset));
        }
    }

    /// <summary>The nearest place noted at or before the position.</summary>
    public (long Position, long Offset) Before(long position)
    {
        lock (gate)
            return marks[MarkBefore(position)];
    }

    int MarkBefore(long position)
    {
        var (low, high) = (0, marks.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (marks[middle].Position <= position)
                low = middle;
            else
                high = middle - 1;
        }
        return low;
    }

    /// <summary>The file for reading; null when it was trimmed away meanwhile.</summary>
    public SafeFileHandle? Open()
    {
        try
        {
            return File.OpenHandle(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Reads those of the positions from the index on that are in this file, before the position <paramref name="end"/>.</summary>
    /// <returns>The index of the first that is not.</returns>
    public int Read(IReadOnlyList<long> positions, int index, long end, Action<int, ReadOnlyMemory<byte>> take)
    {
        using var handle = Open();
        while (index < positions.Count && positions[index] < end)
        {
            if (handle is null)
            {
                index++;
                continue;
            }
            var (from, to, upTo) = Span(positions, index, end);
            if (to < 0 || to - from.Offset > ReadBytesMax)
                index = ReadThrough(handle, from, positions, index, upTo, take);
            else
                index = ReadBlocks(handle, from, (int)(to - from.Offset), positions, index, upTo, take);
        }
        return index;
    }

    /// <summary>The blocks to read together for the position at the index and those right behind it.</summary>
    /// <returns>Where to begin, the offset to end at (-1 where that is not noted), and the position that is there.</returns>
    ((long Position, long Offset) From, long To, long UpTo) Span(IReadOnlyList<long> positions, int index, long end)
    {
        lock (gate)
        {
            var mark = MarkBefore(positions[index]);
            var from = marks[mark];
            var after = mark + 1;
            for (var i = index + 1; i < positions.Count && positions[i] < end && after < marks.Count; i++)
            {
                if (positions[i] < marks[after].Position)
                    continue;
                var more = after + 1;
                if (more >= marks.Count || positions[i] >= marks[more].Position || marks[more].Offset - from.Offset > ReadBytesMax)
                    break;
                after = more;
            }
            return after < marks.Count ? (from, marks[after].Offset, marks[after].Position) : (from, -1, end);
        }
    }

    static int ReadBlocks(
        SafeFileHandle handle, (long Position, long Offset) from, int bytes, IReadOnlyList<long> positions, int index, long upTo, Action<int, ReadOnlyMemory<byte>> take)
    {
        var block = ArrayPool<byte>.Shared.Rent(bytes);
        try
        {
            var have = 0;
            while (have < bytes && RandomAccess.Read(handle, block.AsSpan(have, bytes - have), from.Offset + have) is > 0 and var read)
                have += read;
            var (position, at) = (from.Position, 0);
            while (index < positions.Count && positions[index] < upTo)
            {
                for (; position < positions[index]; position++)
                    at += JournalFrame.HeaderBytes + BinaryPrimitives.ReadInt32LittleEndian(block.AsSpan(at));
                var length = BinaryPrimitives.ReadInt32LittleEndian(block.AsSpan(at));
                var record = block.AsMemory(at + JournalFrame.HeaderBytes, length);
                if (at + JournalFrame.HeaderBytes + length > have || JournalFrame.Crc(record.Span) != BinaryPrimitives.ReadUInt32LittleEndian(block.AsSpan(at + 4)))
                    throw new InvalidDataException($"The journal is damaged at record {position}. Restore it from a backup.");
                take(index++, record);
            }
            return index;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    /// <summary>Where the blocks' ends are not known: at the end of the file, and in a file that was not read since the start.</summary>
    int ReadThrough(
        SafeFileHandle handle, (long Position, long Offset) from, IReadOnlyList<long> positions, int index, long end, Action<int, ReadOnlyMemory<byte>> take)
    {
        var reader = new JournalReader(handle, ReadBytesMax / 4);
        reader.Seek(from.Offset);
        for (var position = from.Position; index < positions.Count && positions[index] < end; position++)
        {
            var offset = reader.Offset;
            if (!reader.Next(out var record))
                throw new InvalidDataException($"The journal file '{Path}' is damaged at record {position}. Restore it from a backup.");
            Note(position, offset);
            if (position == positions[index])
                take(index++, record);
        }
        return index;
    }
}
