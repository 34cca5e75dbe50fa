using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using Althing.Mqtt;

namespace Althing.Broker;

/// <summary>
/// What waits to be written to one client's socket. Any thread adds; one flush runs at a time and takes all that has gathered, so that many
/// packets share one write.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A flush may still be reading the buffers when the connection ends: the collector takes them.")]
sealed class ClientOutput(PipeWriter writer, int bytesMax)
{
    readonly Lock gate = new();
    PacketBuffer filling = new(512);
    PacketBuffer sending = new(512);
    TaskCompletionSource? ended;
    bool flushing;
    bool listed;
    bool used;
    bool closed;
    long written;

    /// <summary>Sees the packets of a client that somebody traces; null for all others.</summary>
    public PacketTrace? Trace { get; set; }

    /// <summary>Bytes handed to the socket.</summary>
    public long Written => Volatile.Read(ref written);

    /// <summary>Bytes that wait because the client leaves others unread.</summary>
    public int Unsent => filling.Length;

    /// <summary>Adds bytes; false when too much waits already and the caller may leave it out.</summary>
    public bool TryAdd(ReadOnlySpan<byte> packet, FlushList flush, bool mayDrop)
    {
        lock (gate)
        {
            if (closed || (mayDrop && filling.Length + packet.Length > bytesMax))
                return false;
            filling.Raw(packet);
            Trace?.Out(packet);
            List(flush);
            return true;
        }
    }

    /// <summary>Gives back the memory of an output that had nothing to write since it was asked last.</summary>
    public void Rest()
    {
        lock (gate)
        {
            if (!used && !flushing && filling.Length == 0)
            {
                filling.Dispose();
                sending.Dispose();
            }
            used = false;
        }
    }

    /// <summary>Writes packets straight into the waiting bytes; false when too much waits already.</summary>
    public bool TryWrite<TState>(TState state, Action<PacketBuffer, TState> write, FlushList flush, bool mayDrop)
    {
        lock (gate)
        {
            if (closed || (mayDrop && filling.Length > bytesMax))
                return false;
            var start = filling.Length;
            write(filling, state);
            Trace?.Out(filling.Written.Span[start..]);
            List(flush);
            return true;
        }
    }

    void List(FlushList flush)
    {
        // While a flush runs it will look again by itself when it ends.
        if (listed || flushing)
            return;
        listed = true;
        flush.Add(this);
    }

    public void Flush()
    {
        lock (gate)
        {
            listed = false;
            if (flushing || closed || filling.Length == 0)
                return;
            flushing = true;
        }
        _ = Send();
    }

    async Task Send()
    {
        try
        {
            while (true)
            {
                lock (gate)
                {
                    if (closed || filling.Length == 0)
                    {
                        Ended();
                        return;
                    }
                    (filling, sending, used) = (sending, filling, true);
                }
                written += sending.Length;
                var result = await writer.WriteAsync(sending.Written);
                sending.Clear();
                if (result.IsCompleted || result.IsCanceled)
                    break;
            }
        }
        catch (Exception failure) when (failure is IOException or InvalidOperationException or OperationCanceledException)
        {
            // The client is gone; the reading side ends the connection.
        }
        lock (gate)
        {
            closed = true;
            Ended();
        }
    }

    void Ended()
    {
        flushing = false;
        ended?.SetResult();
        ended = null;
    }

    /// <summary>Starts a flush if there is something to flush; the end of the one that runs, or null.</summary>
    Task? Flushing()
    {
        Flush();
        lock (gate)
            return flushing ? (ended ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task : null;
    }

    /// <summary>
    /// Waits while the client leaves too much unread, so that one that only writes is not read from either. Ends at the latest when the
    /// connection does.
    /// </summary>
    public async ValueTask Relief()
    {
        while (true)
        {
            lock (gate)
            {
                if (closed || filling.Length <= bytesMax)
                    return;
            }
            if (Flushing() is { } waiting)
                await waiting;
        }
    }

    /// <summary>Waits until what was added has been written or the connection failed: for the last packet before closing.</summary>
    public async Task Drain(TimeProvider time)
    {
        if (Flushing() is not { } waiting)
            return;
        try
        {
            await waiting.WaitAsync(TimeSpan.FromSeconds(2), time);
        }
        catch (TimeoutException)
        {
            // A client that does not read need not be told why it is being left.
        }
    }

    /// <summary>Takes nothing more. The buffers are left to the collector: a flush may still be reading them.</summary>
    public void Close()
    {
        lock (gate)
            closed = true;
    }
}
