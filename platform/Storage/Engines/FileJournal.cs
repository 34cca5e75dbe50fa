using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Microsoft.Win32.SafeHandles;

namespace Althing.Storage.Engines;

/// <summary>
/// An append-only log of segment files. A record is framed as length, CRC-32C of length and payload, payload; its position is its number.
/// One writer gathers whatever waits, writes it with one call and one fdatasync, then completes the callers in order.
/// </summary>
sealed class FileJournal : IJournal
{
    /// <summary>Bytes after which a new segment begins: trimming gives space back in steps of this.</summary>
    const long SegmentBytesDefault = 64L << 20;
    const int HeaderBytes = 8;

    /// <summary>A record longer than this is a programmer's mistake, and a length beyond it in a file is damage.</summary>
    public const int RecordBytesMax = 16 << 20;
    const int GatherBytesMax = 4 << 20;
    const int QueueMax = 65_536;

    readonly string folder;
    readonly long segmentBytes;
    readonly Channel<Waiting> queue = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(QueueMax) { SingleReader = true });
    readonly SortedDictionary<long, string> segments = [];
    readonly Lock gate = new();
    readonly Task writer;
    SafeFileHandle current;
    long currentBytes;
    long next;

    readonly record struct Waiting(ReadOnlyMemory<byte> Record, TaskCompletionSource<long> Done);

    public FileJournal(string folder, long segmentBytes = SegmentBytesDefault)
    {
        this.segmentBytes = segmentBytes;
        this.folder = folder;
        Directory.CreateDirectory(folder);
        foreach (var path in Directory.EnumerateFiles(folder, "*.log"))
            segments.Add(long.Parse(Path.GetFileNameWithoutExtension(path), CultureInfo.InvariantCulture), path);
        current = Recover();
        writer = Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public async ValueTask<long> Append(ReadOnlyMemory<byte> record, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(record.Length, RecordBytesMax);
        var done = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiting = new Waiting(record, done);
        if (!queue.Writer.TryWrite(waiting))
            await queue.Writer.WriteAsync(waiting, cancel);
        return await done.Task;
    }

    public async IAsyncEnumerable<(long Position, ReadOnlyMemory<byte> Record)> Replay(long from, [EnumeratorCancellation] CancellationToken cancel)
    {
        await Task.CompletedTask;
        List<KeyValuePair<long, string>> files;
        lock (gate)
            files = [.. segments];
        for (var i = 0; i < files.Count; i++)
        {
            if (i + 1 < files.Count && files[i + 1].Key <= from)
                continue;
            var position = files[i].Key;
            foreach (var record in ReadSegment(files[i].Value))
            {
                cancel.ThrowIfCancellationRequested();
                if (position >= from)
                    yield return (position, record);
                position++;
            }
            // Only the last segment may end in a torn record; anywhere else what is missing was acknowledged.
            if (i + 1 < files.Count && position != files[i + 1].Key)
                throw new InvalidDataException($"The journal file '{files[i].Value}' is damaged at record {position}. Restore it from a backup.");
        }
    }

    public ValueTask Trim(long before, CancellationToken cancel)
    {
        lock (gate)
        {
            while (segments.Count > 1 && segments.Keys.ElementAt(1) <= before)
            {
                File.Delete(segments.First().Value);
                segments.Remove(segments.First().Key);
            }
        }
        return ValueTask.CompletedTask;
    }

    /// <summary>Finds the end of the last segment and cuts off a torn record, which was never acknowledged.</summary>
    SafeFileHandle Recover()
    {
        if (segments.Count == 0)
            return Begin(0);
        var (first, path) = segments.Last();
        (next, currentBytes) = (first, 0);
        foreach (var record in ReadSegment(path))
        {
            next++;
            currentBytes += HeaderBytes + record.Length;
        }
        var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        if (RandomAccess.GetLength(handle) > currentBytes)
        {
            RandomAccess.SetLength(handle, currentBytes);
            RandomAccess.FlushToDisk(handle);
        }
        return handle;
    }

    SafeFileHandle Begin(long first)
    {
        var path = Path.Combine(folder, first.ToString("D19", CultureInfo.InvariantCulture) + ".log");
        var handle = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read);
        FolderSync.Flush(folder);
        lock (gate)
            segments[first] = path;
        currentBytes = 0;
        return handle;
    }

    static IEnumerable<ReadOnlyMemory<byte>> ReadSegment(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 20);
        var header = new byte[HeaderBytes];
        while (file.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) == HeaderBytes)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(header);
            if (length is < 0 or > RecordBytesMax)
                yield break;
            var record = new byte[length];
            if (file.ReadAtLeast(record, length, throwOnEndOfStream: false) < length
                || Crc(header.AsSpan(0, 4), record) != BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(4)))
                yield break;
            yield return record;
        }
    }

    void Write()
    {
        var buffer = new ArrayBufferWriter<byte>(1 << 20);
        List<TaskCompletionSource<long>> group = [];
        while (WaitForWork())
        {
            buffer.ResetWrittenCount();
            group.Clear();
            while (buffer.WrittenCount < GatherBytesMax && queue.Reader.TryRead(out var waiting))
            {
                Frame(buffer, waiting.Record.Span);
                group.Add(waiting.Done);
            }
            Commit(buffer.WrittenMemory, group);
        }
    }

    bool WaitForWork()
    {
        var wait = queue.Reader.WaitToReadAsync();
        return wait.IsCompletedSuccessfully ? wait.Result : wait.AsTask().GetAwaiter().GetResult();
    }

    void Commit(ReadOnlyMemory<byte> bytes, List<TaskCompletionSource<long>> group)
    {
        try
        {
            if (currentBytes >= segmentBytes)
            {
                var full = current;
                current = Begin(next);
                full.Dispose();
            }
            RandomAccess.Write(current, bytes.Span, currentBytes);
            RandomAccess.FlushToDisk(current);
        }
        catch (Exception failure) when (IsRefusal(failure))
        {
            CutOff();
            foreach (var done in group)
                done.SetException(new StorageException($"The journal '{Path.GetFileName(folder)}' could not write: {failure.Message} Free disk space or check the device.", failure));
            return;
        }
        currentBytes += bytes.Length;
        foreach (var done in group)
            done.SetResult(next++);
    }

    /// <summary>Removes what a failed write left, so that no refused record is read later. Should this fail too, the next write covers most of it.</summary>
    void CutOff()
    {
        try
        {
            RandomAccess.SetLength(current, currentBytes);
        }
        catch (Exception failure) when (IsRefusal(failure))
        {
        }
    }

    /// <summary>What the runtime throws for a full disk (IOException), a file-size limit (ArgumentException) and lost rights.</summary>
    static bool IsRefusal(Exception failure) => failure is IOException or ArgumentException or UnauthorizedAccessException;

    static void Frame(ArrayBufferWriter<byte> buffer, ReadOnlySpan<byte> record)
    {
        var span = buffer.GetSpan(HeaderBytes + record.Length);
        BinaryPrimitives.WriteInt32LittleEndian(span, record.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(span[4..], Crc(span[..4], record));
        record.CopyTo(span[HeaderBytes..]);
        buffer.Advance(HeaderBytes + record.Length);
    }

    /// <summary>CRC-32C of the length and the payload, by the processor's own instruction where it has one.</summary>
    static uint Crc(ReadOnlySpan<byte> length, ReadOnlySpan<byte> record)
    {
        var crc = BitOperations.Crc32C(~0u, BinaryPrimitives.ReadUInt32LittleEndian(length));
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(record))
            crc = BitOperations.Crc32C(crc, word);
        foreach (var single in record[(record.Length & ~7)..])
            crc = BitOperations.Crc32C(crc, single);
        return ~crc;
    }

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await writer;
        current.Dispose();
    }
}
