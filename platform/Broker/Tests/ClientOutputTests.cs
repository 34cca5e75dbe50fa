using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Althing.Broker;

namespace Althing.Tests.Broker;

public class ClientOutputTests
{
    [Fact]
    public async Task The_last_packet_goes_out_behind_a_write_that_has_only_begun()
    {
        var pipe = new HeldWriter();
        var output = new ClientOutput(pipe, 1000);
        var flush = new FlushList();
        output.TryAdd("first"u8, flush, mayDrop: false);
        var writing = Task.Run(output.Flush);
        await pipe.Begun.Task;
        output.TryAdd(" last"u8, flush, mayDrop: false);
        var drained = output.Drain(TimeProvider.System);
        Assert.False(drained.IsCompleted);
        pipe.Go.Set();
        await drained;
        output.Close();
        await writing;
        Assert.Equal("first last", pipe.Text);
    }

    /// <summary>Its first write does not return until it may, as one of a thread that the machine has put aside.</summary>
    sealed class HeldWriter : PipeWriter
    {
        readonly ArrayBufferWriter<byte> bytes = new();

        public TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public ManualResetEventSlim Go { get; } = new();
        public string Text => Encoding.UTF8.GetString(bytes.WrittenSpan);

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            Begun.TrySetResult();
            Go.Wait(cancellationToken);
            bytes.Write(source.Span);
            return default;
        }

        public override void Advance(int bytes) => throw new NotSupportedException();
        public override void CancelPendingFlush() => throw new NotSupportedException();
        public override void Complete(Exception? exception = null) => throw new NotSupportedException();
        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();
        public override Memory<byte> GetMemory(int sizeHint = 0) => throw new NotSupportedException();
        public override Span<byte> GetSpan(int sizeHint = 0) => throw new NotSupportedException();
    }
}
