using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace Althing.Sockets;

/// <summary>
/// The bytes of one socket that an <see cref="EventLoop"/> watches. A read that waits goes on on the loop's thread. Between reads it holds no
/// memory but what was left over; writes go straight to the socket.
/// </summary>
/// <remarks>The reader is used by one caller at a time, as every pipe's; so is the writer.</remarks>
sealed class SocketPipe : PipeReader, IDuplexPipe, IValueTaskSource<ReadResult>
{
    public const int ReadBytes = 1 << 16;

    /// <summary>So much that is left over moves to memory of its own size; more stays where it was read.</summary>
    const int SmallRest = 4096;

    readonly Lock gate = new();
    readonly Socket socket;
    readonly EventLoop loop = EventLoop.Next();
    readonly int readBytes;
    readonly SocketWriter writer;
    ManualResetValueTaskSourceCore<ReadResult> read;
    byte[]? buffer;
    byte[] rest = [];
    int held;
    int tag;
    bool readable = true;
    bool hungUp;
    bool waiting;
    bool cancelled;
    bool ended;
    bool filled;

    /// <param name="socket">Connected; the pipe owns it from now on.</param>
    /// <param name="readBytes">Read at once, if there are so many.</param>
    public SocketPipe(Socket socket, int readBytes = ReadBytes)
    {
        this.socket = socket;
        this.readBytes = readBytes;
        Fd = (int)socket.SafeHandle.DangerousGetHandle();
        writer = new(Fd);
    }

    int Fd { get; }
    public EventLoop Loop => loop;

    public PipeReader Input => this;
    public PipeWriter Output => writer;

    /// <summary>Begins to watch the socket.</summary>
    public void Open() => tag = loop.Add(this, Fd);

    /// <summary>Ends the stream both ways: who waits learns of it.</summary>
    public void Abort()
    {
        try
        {
            socket.LingerState = new(true, 0);
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // It has ended already.
        }
    }

    /// <summary>Closes the socket. Nobody reads any more; a write under way ends first.</summary>
    public void Close()
    {
        loop.Remove(tag);
        writer.Close(socket);
    }

    /// <summary>The loop has news of the socket.</summary>
    internal void Ready(uint events)
    {
        if ((events & ~Epoll.Out) != 0)
        {
            lock (gate)
                hungUp |= (events & ~(Epoll.In | Epoll.Out)) != 0;
            ReadOn();
        }
        if ((events & ~Epoll.In) != 0)
            writer.Writable();
    }

    /// <summary>Reads for one who waits; else remembers that there is something.</summary>
    internal void ReadOn()
    {
        lock (gate)
        {
            readable = true;
            if (!waiting)
                return;
            waiting = false;
        }
        Answer();
    }

    void Answer()
    {
        try
        {
            do
            {
                if (TryRead(out var result))
                {
                    read.SetResult(result);
                    return;
                }
            }
            while (!TryWait());
        }
        catch (IOException failure)
        {
            read.SetException(failure);
        }
    }

    /// <summary>False when there is something to read after all.</summary>
    bool TryWait()
    {
        lock (gate)
            return waiting = !readable && !cancelled;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (filled && EventLoop.Current == loop)
        {
            // The others have their turn before this one reads on.
            filled = false;
            read.Reset();
            lock (gate)
                waiting = true;
            loop.ComeBack(this);
            return new(this, read.Version);
        }
        while (true)
        {
            if (TryRead(out var result))
                return new(result);
            read.Reset();
            if (TryWait())
                return new(this, read.Version);
        }
    }

    public override bool TryRead(out ReadResult result)
    {
        bool wasCancelled;
        lock (gate)
        {
            (wasCancelled, cancelled) = (cancelled, false);
            result = default;
            if (!wasCancelled && !ended && !readable)
                return false;
            if (!wasCancelled && !ended)
                readable = false;
        }
        if (!wasCancelled && !ended && !Receive())
            return false;
        result = new(buffer is null ? new(rest) : new(buffer, 0, held), wasCancelled, ended);
        return true;
    }

    /// <summary>Reads once; false when there is nothing now.</summary>
    bool Receive()
    {
        var room = Room();
        var count = Epoll.Read(Fd, room.AsSpan(held));
        if (count == 0)
        {
            Shrink(0);
            return false;
        }
        if (count < 0)
        {
            ended = true;
            return true;
        }
        loop.Count(count);
        held += count;
        filled = held == room.Length;
        lock (gate)
            readable |= filled || hungUp;
        return true;
    }

    byte[] Room()
    {
        if (buffer is null)
        {
            buffer = ArrayPool<byte>.Shared.Rent(readBytes);
            rest.CopyTo(buffer, 0);
            rest = [];
        }
        else if (buffer.Length - held < SmallRest)
        {
            var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
            buffer.AsSpan(0, held).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = larger;
        }
        return buffer;
    }

    public override void AdvanceTo(SequencePosition consumed) => Shrink(consumed.GetInteger());

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => Shrink(consumed.GetInteger());

    /// <summary>Takes off what was consumed and lets go of the memory that is not needed.</summary>
    void Shrink(int consumed)
    {
        if (buffer is null)
        {
            rest = rest[consumed..];
            held = rest.Length;
            return;
        }
        var left = buffer.AsSpan(consumed, held - consumed);
        held = left.Length;
        if (held > SmallRest)
        {
            left.CopyTo(buffer);
            return;
        }
        rest = left.ToArray();
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = null;
    }

    public override void CancelPendingRead()
    {
        lock (gate)
        {
            cancelled = true;
            if (!waiting)
                return;
            waiting = false;
        }
        // Whoever cancels may hold what the reader needs.
        ThreadPool.UnsafeQueueUserWorkItem(static pipe => pipe.Answer(), this, preferLocal: false);
    }

    public override void Complete(Exception? exception = null)
    {
        if (buffer is not null)
            Shrink(held);
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => read.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => read.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        read.OnCompleted(continuation, state, token, flags);
}
