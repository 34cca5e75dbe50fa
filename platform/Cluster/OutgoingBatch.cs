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

    /// <summary>PUBLISH packets of QoS 0 and 1 of one publisher, as it wrote them.</summary>
    Plain = 2,
}

/// <summary>Messages that go to another node together, as the frame they are sent in.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "The buffer is given back when the other node has it; one that never has goes with the process.")]
sealed class OutgoingBatch
{
    /// <summary>A reader takes a few of them at once.</summary>
    const int BytesMax = 60 << 10;
    const int NumberAt = Frames.HeaderBytes;

    readonly List<Task> after = [];
    TaskCompletionSource? taken;
    TaskCompletionSource? passed;
    readonly PacketBuffer frame = new(1 << 16);
    readonly int contentAt;
    MessageSource? lastSource;
    AccountId lastAccount;
    MqttVersion lastVersion;
    int lastAt;
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
    /// <summary>What it has: messages, and publishers' packets together.</summary>
    public int Count { get; private set; }
    public bool IsFull => frame.Length >= BytesMax;

    /// <summary>Nobody waits to hear that it came, and it is not sent again: QoS 0 may be lost, but must not come twice.</summary>
    public bool IsQuiet { get; private set; } = true;

    /// <summary>Completes when the other node has all of it durably.</summary>
    public Task Taken => (taken ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>The same, on the thread that learnt of it, which must not be kept.</summary>
    public Task Passed => (passed ??= new()).Task;

    /// <summary>What it had to wait for before it leaves.</summary>
    public Task Ready => after.Count == 0 ? Task.CompletedTask : Task.WhenAll(after);
    public int Bytes => frame.Length;

    public ReadOnlyMemory<byte> Frame => frame.Written;
    public ReadOnlyMemory<byte> Body => frame.Written[Frames.HeaderBytes..];

    /// <summary>Adds a message and answers by how many bytes the batch has grown.</summary>
    public int Add(PacketBuffer scratch, AccountId account, Message message, bool direct, string? group, (string Node, long Id) origin)
    {
        var before = frame.Length;
        IsQuiet &= message.QoS == 0 && !message.Retain;
        lastSource = null;
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

    /// <summary>Adds PUBLISH packets as their publisher wrote them. Who is named already is not named again.</summary>
    /// <param name="mustCome">They are of QoS 1.</param>
    public int Add(PacketBuffer scratch, AccountId account, MqttVersion version, MessageSource source, ReadOnlySpan<byte> publishes, bool mustCome)
    {
        var before = frame.Length;
        IsQuiet &= !mustCome;
        if (!ReferenceEquals(source, lastSource) || version != lastVersion || account != lastAccount)
        {
            scratch.Clear();
            ForwardedPublishes.WriteSource(scratch, source);
            frame.Byte((byte)BatchEntry.Plain);
            frame.String(account.Value);
            frame.Byte((byte)version);
            frame.Binary(scratch.Written.Span);
            frame.UInt32(0);
            (lastSource, lastVersion, lastAccount, lastAt) = (source, version, account, frame.Length);
            Count++;
        }
        frame.Raw(publishes);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, frame.Length - lastAt);
        frame.Patch(lastAt - 4, length);
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
        Frames.End(frame, IsQuiet ? FrameKind.QuietBatch : FrameKind.Batch);
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
        var batch = new OutgoingBatch(formerly) { Count = Count, IsQuiet = IsQuiet };
        batch.frame.Raw(frame.Written.Span[contentAt..]);
        batch.Close();
        _ = batch.Taken.ContinueWith((_, me) => ((OutgoingBatch)me!).Done(), this, CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        return batch;
    }

    public void Done()
    {
        if (!isLent)
            frame.Dispose();
        passed?.TrySetResult();
        taken?.TrySetResult();
    }
}
