using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Althing.Broker;
using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Cluster;

/// <summary>What stands before each message of a batch.</summary>
[Flags]
enum BatchEntry : byte
{
    None = 0,

    /// <summary>The receiving node's own subscriptions get it.</summary>
    Direct = 1,

    /// <summary>A PUBLISH of QoS 0 as its publisher wrote it.</summary>
    Plain = 2,
}

/// <summary>Messages that go to another node together, as the frame they are sent in.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "The buffer is given back when the other node has it; one that never has goes with the process.")]
sealed class OutgoingBatch
{
    const int BytesMax = 1 << 20;
    const int CountMax = 4096;
    const int NumberAt = Frames.HeaderBytes;

    readonly List<Task> after = [];
    readonly TaskCompletionSource taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly PacketBuffer frame = new(1 << 16);
    readonly int contentAt;
    bool isLent;

    /// <param name="formerly">The dead node that the messages were for first; empty for none.</param>
    public OutgoingBatch(string formerly = "")
    {
        Frames.Begin(frame);
        frame.Raw(Frames.Long(0));
        frame.String(formerly);
        frame.UInt32(0);
        contentAt = frame.Length;
    }

    public long Number { get; private set; }
    public int Count { get; private set; }
    public bool IsFull => Count >= CountMax || frame.Length >= BytesMax;

    /// <summary>Completes when the other node has all of it durably.</summary>
    public Task Taken => taken.Task;

    /// <summary>What it had to wait for before it leaves.</summary>
    public Task Ready => after.Count == 0 ? Task.CompletedTask : Task.WhenAll(after);
    public int Bytes => frame.Length;

    public ReadOnlyMemory<byte> Frame => frame.Written;
    public ReadOnlyMemory<byte> Body => frame.Written[Frames.HeaderBytes..];

    /// <summary>Adds a message and answers by how many bytes the batch has grown.</summary>
    public int Add(PacketBuffer scratch, AccountId account, Message message, bool direct, string? group, (string Node, long Id) origin)
    {
        var before = frame.Length;
        LogRecord.Write(scratch, origin.Id, account, message, [], null);
        frame.Byte((byte)(direct ? BatchEntry.Direct : BatchEntry.None));
        frame.String(account.Value);
        frame.String(group ?? "");
        frame.String(origin.Node);
        frame.UInt32((uint)scratch.Length);
        frame.Raw(scratch.Written.Span);
        Count++;
        return frame.Length - before;
    }

    /// <summary>Adds a PUBLISH of QoS 0 as its publisher wrote it.</summary>
    public int Add(PacketBuffer scratch, AccountId account, MqttVersion version, MessageSource source, ReadOnlySpan<byte> publish)
    {
        var before = frame.Length;
        scratch.Clear();
        ForwardedPublishes.WriteSource(scratch, source);
        frame.Byte((byte)BatchEntry.Plain);
        frame.String(account.Value);
        frame.Byte((byte)version);
        frame.Binary(scratch.Written.Span);
        frame.UInt32((uint)publish.Length);
        frame.Raw(publish);
        Count++;
        return frame.Length - before;
    }

    /// <summary>It leaves when this has completed, too: a message's number in the log is known at once, but is good only when it is on disk.</summary>
    public void WaitFor(Task? waits)
    {
        if (waits is { IsCompletedSuccessfully: false })
            after.Add(waits);
    }

    /// <summary>No message is added from now on.</summary>
    public void Close()
    {
        Span<byte> count = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(count, Count);
        frame.Patch(contentAt - 4, count);
        Frames.End(frame, FrameKind.Batch);
    }

    /// <summary>Its place in the order of what goes to one node.</summary>
    public void SetNumber(long number)
    {
        Number = number;
        frame.Patch(NumberAt, Frames.Long(number));
    }

    /// <summary>The same messages on their way to the heir of the node that they were for.</summary>
    public OutgoingBatch For(string formerly)
    {
        // The link to the dead node may be writing it at this moment.
        isLent = true;
        var batch = new OutgoingBatch(formerly) { Count = Count };
        batch.frame.Raw(frame.Written.Span[contentAt..]);
        batch.Close();
        _ = batch.Taken.ContinueWith((_, me) => ((OutgoingBatch)me!).Done(), this, CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        return batch;
    }

    public void Done()
    {
        taken.TrySetResult();
        if (!isLent)
            frame.Dispose();
    }
}
