using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;

namespace Althing.Storage.Engines;

/// <summary>
/// An append-only log of segment files. A record is framed as length, CRC-32C of length and payload, payload; its position is its number.
/// One writer writes whatever was added with one call and one fdatasync, then completes the group.
/// </summary>
sealed class FileJournal : IJournal
{
    /// <summary>Bytes after which a new segment begins: trimming gives space back in steps of this.</summary>
    const long SegmentBytesDefault = 64L << 20;

    /// <summary>A record longer than this is a programmer's mistake, and a length beyond it in a file is damage.</summary>
    public const int RecordBytesMax = 16 << 20;

    /// <summary>Bytes of one group; what is added beyond goes to the next.</summary>
    const int GatherBytesMax = 4 << 20;

    /// <summary>How much is read at once when records are read in order.</summary>
    const int WindowBytes = 1 << 20;

    readonly string folder;
    readonly long segmentBytes;
    readonly SortedList<long, JournalSegment> segments = [];
    readonly Lock gate = new();
    readonly Lock adding = new();
    readonly Queue<Gathered> gathered = new();
    readonly Stack<Gathered> spare = new();
    readonly SemaphoreSlim work = new(0);
    readonly Task writer;
    SafeFileHandle current;
    JournalSegment last;
    Gathered? open;
    bool closing;
    long next;

    /// <summary>A group while it is filled.</summary>
    sealed class Gathered
    {
        public JournalGroup Group { get; set; } = new();
        public FrameBuffer Frames { get; } = new();
    }

    public FileJournal(string folder, long segmentBytes = SegmentBytesDefault)
    {
        this.segmentBytes = segmentBytes;
        this.folder = folder;
        Directory.CreateDirectory(folder);
        foreach (var path in Directory.EnumerateFiles(folder, "*.log"))
        {
            var first = long.Parse(Path.GetFileNameWithoutExtension(path), CultureInfo.InvariantCulture);
            segments.Add(first, new(path, first));
        }
        (last, current) = Recover();
        writer = Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public JournalEntry Add(ReadOnlySpan<byte> record)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(record.Length, RecordBytesMax);
        var crc = JournalFrame.Crc(record);
        lock (adding)
        {
            ObjectDisposedException.ThrowIf(closing, this);
            if (open is null || open.Frames.Length >= GatherBytesMax)
            {
                if (!spare.TryPop(out open))
                    open = new();
                open.Group = new();
                gathered.Enqueue(open);
                work.Release();
            }
            return new(open.Group, open.Frames.Add(record, crc));
        }
    }

    public ValueTask<long> End(CancellationToken cancel) => new(Volatile.Read(ref next));

    public async IAsyncEnumerable<(long Position, ReadOnlyMemory<byte> Record)> Replay(long from, long to, [EnumeratorCancellation] CancellationToken cancel)
    {
        await Task.CompletedTask;
        List<JournalSegment> files;
        lock (gate)
            files = [.. segments.Values];
        for (var i = 0; i < files.Count && files[i].First < to; i++)
        {
            if (i + 1 < files.Count && files[i + 1].First <= from)
                continue;
            using var handle = files[i].Open();
            if (handle is null)
                continue;
            var reader = new JournalReader(handle, WindowBytes);
            var (position, noted) = files[i].Before(from);
            reader.Seek(noted);
            for (; position < to; position++)
            {
                cancel.ThrowIfCancellationRequested();
                var offset = reader.Offset;
                if (!reader.Next(out var record))
                    break;
                if (offset - noted >= JournalSegment.BlockBytes)
                    files[i].Note(position, noted = offset);
                if (position >= from)
                    yield return (position, record);
            }
            // Only the last segment may end in a torn record; anywhere else what is missing was acknowledged.
            if (position < to && i + 1 < files.Count && position != files[i + 1].First)
                throw new InvalidDataException($"The journal file '{files[i].Path}' is damaged at record {position}. Restore it from a backup.");
        }
    }

    public ValueTask Read(IReadOnlyList<long> positions, Action<int, ReadOnlyMemory<byte>> take, CancellationToken cancel)
    {
        for (var i = 0; i < positions.Count;)
        {
            cancel.ThrowIfCancellationRequested();
            JournalSegment? segment;
            long end;
            lock (gate)
                (segment, end) = Covering(positions[i]);
            if (segment is null || positions[i] >= end)
            {
                i++;
                continue;
            }
            i = segment.Read(positions, i, end, take);
        }
        return ValueTask.CompletedTask;
    }

    /// <summary>The segment that has the position, and where the next one begins.</summary>
    (JournalSegment? Segment, long End) Covering(long position)
    {
        var keys = segments.Keys;
        var (low, high) = (0, keys.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (keys[middle] <= position)
                low = middle + 1;
            else
                high = middle - 1;
        }
        return high < 0 ? (null, 0) : (segments.Values[high], high + 1 < keys.Count ? keys[high + 1] : Volatile.Read(ref next));
    }

    public ValueTask Trim(long before, CancellationToken cancel)
    {
        lock (gate)
        {
            while (segments.Count > 1 && segments.Keys[1] <= before)
            {
                File.Delete(segments.Values[0].Path);
                segments.RemoveAt(0);
            }
        }
        return ValueTask.CompletedTask;
    }

    /// <summary>Finds the end of the last segment and cuts off a torn record, which was never acknowledged.</summary>
    (JournalSegment, SafeFileHandle) Recover()
    {
        if (segments.Count == 0)
            return Begin(0);
        var segment = segments.Values[^1];
        next = segment.First;
        var handle = File.OpenHandle(segment.Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        var reader = new JournalReader(handle, WindowBytes);
        for (var offset = 0L; reader.Next(out _); offset = reader.Offset)
            segment.Note(next++, offset);
        segment.Bytes = reader.Offset;
        if (RandomAccess.GetLength(handle) > segment.Bytes)
        {
            RandomAccess.SetLength(handle, segment.Bytes);
            RandomAccess.FlushToDisk(handle);
        }
        return (segment, handle);
    }

    (JournalSegment, SafeFileHandle) Begin(long first)
    {
        var segment = new JournalSegment(Path.Combine(folder, first.ToString("D19", CultureInfo.InvariantCulture) + ".log"), first);
        var handle = File.OpenHandle(segment.Path, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        FolderSync.Flush(folder);
        lock (gate)
            segments[first] = segment;
        return (segment, handle);
    }

    void Write()
    {
        while (true)
        {
            work.Wait();
            Gathered group;
            lock (adding)
            {
                if (!gathered.TryDequeue(out var waiting))
                    return;
                group = waiting;
                if (open == group)
                    open = null;
            }
            Commit(group);
            group.Frames.Clear();
            lock (adding)
            {
                if (spare.Count < 2)
                    spare.Push(group);
            }
        }
    }

    void Commit(Gathered group)
    {
        try
        {
            if (last.Bytes >= segmentBytes)
            {
                var full = current;
                (last, current) = Begin(next);
                full.Dispose();
            }
            RandomAccess.Write(current, group.Frames.Written, last.Bytes);
            RandomAccess.FlushToDisk(current);
        }
        catch (Exception failure) when (IsRefusal(failure))
        {
            CutOff();
            group.Group.Fail(new($"The journal '{Path.GetFileName(folder)}' could not write: {failure.Message} Free disk space or check the device.", failure));
            return;
        }
        var first = next;
        foreach (var offset in group.Frames.Offsets)
            last.Note(next + offset.Index, last.Bytes + offset.Bytes);
        last.Bytes += group.Frames.Length;
        Volatile.Write(ref next, first + group.Frames.Count);
        group.Group.Complete(first);
    }

    /// <summary>Removes what a failed write left, so that no refused record is read later. Should this fail too, the next write covers most of it.</summary>
    void CutOff()
    {
        try
        {
            RandomAccess.SetLength(current, last.Bytes);
        }
        catch (Exception failure) when (IsRefusal(failure))
        {
        }
    }

    /// <summary>What the runtime throws for a full disk (IOException), a file-size limit (ArgumentException) and lost rights.</summary>
    static bool IsRefusal(Exception failure) => failure is IOException or ArgumentException or UnauthorizedAccessException;

    public async ValueTask DisposeAsync()
    {
        lock (adding)
        {
            if (closing)
                return;
            closing = true;
            work.Release();
        }
        await writer;
        current.Dispose();
        work.Dispose();
    }
}
