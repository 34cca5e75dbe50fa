using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Althing.Broker;
using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Cluster;

/// <summary>Messages that go to another node together.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "The buffer is given back when the batch is closed; one that never is goes with the process.")]
sealed class OutgoingBatch
{
    const int BytesMax = 1 << 20;
    const int CountMax = 4096;
    const byte Direct = 1;

    readonly List<Task> after = [];
    readonly TaskCompletionSource taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    PacketBuffer? filling = new();
    byte[] content = [];

    public long Number { get; set; }

    /// <summary>The dead node that the messages were for first; empty for none.</summary>
    public string Formerly { get; init; } = "";
    public int Count { get; private set; }
    public bool IsFull => Count >= CountMax || filling!.Length >= BytesMax;

    /// <summary>Completes when the other node has all of it durably.</summary>
    public Task Taken => taken.Task;

    /// <summary>What it had to wait for before it leaves.</summary>
    public Task Ready => after.Count == 0 ? Task.CompletedTask : Task.WhenAll(after);
    public int Bytes => filling?.Length ?? content.Length;

    /// <summary>Adds a message and answers by how many bytes the batch has grown.</summary>
    public int Add(PacketBuffer scratch, AccountId account, Message message, bool direct, string? group, (string Node, long Id) origin)
    {
        var before = filling!.Length;
        LogRecord.Write(scratch, origin.Id, account, message, [], null);
        filling.Byte(direct ? Direct : (byte)0);
        filling.String(group ?? "");
        filling.String(account.Value);
        filling.String(origin.Node);
        filling.UInt32((uint)scratch.Length);
        filling.Raw(scratch.Written.Span);
        Count++;
        return filling.Length - before;
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
        content = filling!.Written.ToArray();
        filling.Dispose();
        filling = null;
    }

    /// <summary>The same messages on their way to the heir of the node that they were for.</summary>
    public OutgoingBatch For(string formerly)
    {
        var batch = new OutgoingBatch { Formerly = formerly, Count = Count, filling = null, content = content };
        _ = batch.Taken.ContinueWith((_, me) => ((OutgoingBatch)me!).Done(), this, CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        return batch;
    }

    public byte[] ToFrame() => Frames.Make(FrameKind.Batch, Body());

    public byte[] Body()
    {
        var count = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(count, Count);
        return [.. Frames.Long(Number), .. Frames.Text(Formerly), .. count, .. content];
    }

    public void Done() => taken.TrySetResult();

    /// <summary>The messages of a batch that came, ready to be delivered.</summary>
    public static (long Number, List<ExactlyOnce> Messages) Take(byte[] body, MqttBroker broker)
    {
        var number = Frames.Long(body);
        var reader = new PacketReader(body.AsSpan(8));
        var formerly = Encoding.UTF8.GetString(reader.Binary());
        var count = (int)reader.UInt32();
        List<ExactlyOnce> messages = new(count);
        for (; count > 0; count--)
        {
            var direct = (reader.Byte() & Direct) != 0;
            var group = Encoding.UTF8.GetString(reader.Binary());
            var account = AccountId.FromStorage(Encoding.UTF8.GetString(reader.Binary()));
            var origin = Encoding.UTF8.GetString(reader.Binary());
            var message = LogRecord.ReadMessage(reader.Take((int)reader.UInt32()));
            messages.Add(broker.Accept(
                account, Message.Unlogged(message), direct, group.Length > 0 ? group : null, formerly.Length > 0 ? formerly : null, (origin, message.LogId)));
        }
        return (number, messages);
    }
}
