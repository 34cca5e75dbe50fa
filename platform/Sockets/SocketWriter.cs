using System.Buffers;
using System.IO.Pipelines;
using Althing.Sockets.Tls;

namespace Althing.Sockets;

/// <summary>Writes straight to a socket; waits only when the socket takes no more.</summary>
/// <param name="gate">The connection's: it guards what TLS has for both directions, and the socket's number, which another socket has after the close.</param>
sealed class SocketWriter(int fd, Lock gate) : PipeWriter
{
    ArrayBufferWriter<byte>? gathered;
    TaskCompletionSource? waiter;
    bool writable = true;
    bool closed;

    /// <summary>Whether the socket is closed. Asked under the gate.</summary>
    public bool IsClosed => closed;

    /// <summary>What encrypts; null for a plain connection. Used under the gate.</summary>
    public TlsSession? Tls { get; set; }

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
            return Tls is null ? Epoll.Write(fd, bytes) : Tls.Write(bytes);
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

    internal void Close()
    {
        lock (gate)
        {
            if (closed)
                return;
            closed = true;
            Tls?.Dispose();
            _ = Descriptor.Close(fd);
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
