using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace Althing.Sockets;

/// <summary>Writes straight to a socket; waits only when the socket takes no more.</summary>
sealed class SocketWriter(int fd) : PipeWriter
{
    readonly Lock gate = new();
    ArrayBufferWriter<byte>? gathered;
    TaskCompletionSource? waiter;
    bool writable = true;
    bool closed;

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        if (gathered is { WrittenCount: > 0 })
            throw new InvalidOperationException("Bytes from GetMemory wait for FlushAsync.");
        var written = Write(source.Span);
        return written == source.Length ? new(new FlushResult(false, false)) : WriteRest(source[written..]);
    }

    async ValueTask<FlushResult> WriteRest(ReadOnlyMemory<byte> rest)
    {
        while (rest.Length > 0)
        {
            await Room();
            rest = rest[Write(rest.Span)..];
        }
        return new(false, false);
    }

    int Write(ReadOnlySpan<byte> bytes)
    {
        lock (gate)
        {
            if (closed)
                throw new IOException("The connection is closed.");
            writable = false;
            return Epoll.Write(fd, bytes);
        }
    }

    Task Room()
    {
        lock (gate)
        {
            if (writable || closed)
                return Task.CompletedTask;
            waiter ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            return waiter.Task;
        }
    }

    internal void Writable()
    {
        TaskCompletionSource? waited;
        lock (gate)
        {
            writable = true;
            (waited, waiter) = (waiter, null);
        }
        waited?.TrySetResult();
    }

    internal void Close(Socket socket)
    {
        lock (gate)
        {
            closed = true;
            socket.Dispose();
        }
        Writable();
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => (gathered ??= new()).GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => (gathered ??= new()).GetSpan(sizeHint);

    public override void Advance(int bytes) => (gathered ?? throw new InvalidOperationException("There is no memory to advance in.")).Advance(bytes);

    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (gathered is not { WrittenCount: > 0 } bytes)
            return default;
        gathered = null;
        return await WriteAsync(bytes.WrittenMemory, cancellationToken);
    }

    // A write waits at most until the socket is closed.
    public override void CancelPendingFlush() => Writable();

    public override void Complete(Exception? exception = null)
    {
    }
}
