using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using Althing.Sockets;
using Microsoft.Extensions.Logging;

namespace Althing.Cluster;

/// <summary>The connection itself.</summary>
sealed partial class PeerLink
{
    /// <summary>A node that does not answer is dialled again.</summary>
    static readonly TimeSpan GreetingMax = TimeSpan.FromSeconds(5);

    Wire? wire;
    string? unreached;

    /// <summary>The connection that somebody writes to; a writer to an earlier one finds that out and ends.</summary>
    Wire? writingTo;
    int isFlushing;

    async Task Run()
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await Serve();
            }
            catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException or ObjectDisposedException or JsonException or AuthenticationException)
            {
                Say(failure.Message);
            }
            Closed();
            await Task.Delay(DialAgain, self.Time, stopping.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
        }
    }

    /// <summary>Once for each address and trouble: a node that starts or ends is not there for a moment.</summary>
    void Say(string why)
    {
        if (stopping.IsCancellationRequested)
            return;
        if (IsOpen)
            LogBroken(logger, node, why);
        else if (unreached != $"{address}: {why}")
            LogUnreached(logger, node, unreached = $"{address}: {why}");
    }

    async Task Serve()
    {
        string to;
        lock (gate)
            to = address;
        using var late = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        late.CancelAfter(GreetingMax);
        using var dialled = await Wire.Dial(NodeAddress.Read(to), node, self.Tls, late.Token);
        await using (late.Token.Register(dialled.Abort))
            await self.Proof.Dial(dialled, self.Name, self.Epoch, node);
        await using var ending = stopping.Token.Register(dialled.Abort);
        // There may be many filters, and an event loop must not be kept.
        if (EventLoop.Current is not null)
            await Task.Yield();
        // While they are read no change is told: none is missed and none comes twice.
        self.Filters.Read(all =>
        {
            Opened(dialled, all);
            return true;
        });
        FlushSoon();
        while (true)
        {
            var (kind, body) = await dialled.Frames.Next();
            Take(kind, body.Span);
        }
    }

    void Opened(Wire dialled, FilterChange all)
    {
        lock (gate)
        {
            control.Clear();
            control.Enqueue(Frames.Make(FrameKind.Filters, JsonSerializer.SerializeToUtf8Bytes(all)));
            foreach (var batch in underWay)
                again.Enqueue(batch);
            underWay.Clear();
            (wire, IsOpen, unreached) = (dialled, true, null);
        }
    }

    /// <summary>Sends what has gathered: when this turn of the loop ends, or when the link's own loop comes to it.</summary>
    void FlushSoon()
    {
        if (Interlocked.Exchange(ref isFlushing, 1) != 0)
            return;
        if (EventLoop.Current is { } here)
            here.WhenTurnEnds(this);
        else if (wire?.Loop is { } loop)
            loop.Post(TurnEnds);
        else
            ThreadPool.UnsafeQueueUserWorkItem(static link => link.TurnEnds(), this, preferLocal: false);
    }

    public void TurnEnds()
    {
        Interlocked.Exchange(ref isFlushing, 0);
        Wire to;
        lock (gate)
        {
            if (!IsOpen || wire is null || writingTo == wire)
                return;
            writingTo = to = wire;
        }
        _ = Write(to);
    }

    /// <summary>Writes until nothing waits.</summary>
    async Task Write(Wire to)
    {
        try
        {
            while (Next(to) is { } next)
            {
                if (next is not OutgoingBatch batch)
                {
                    await to.Write((byte[])next);
                    continue;
                }
                if (!batch.Ready.IsCompleted)
                    await batch.Ready.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
                try
                {
                    await to.Write(batch.Frame);
                }
                finally
                {
                    if (batch.IsQuiet)
                        Settle(batch);
                }
            }
        }
        catch (Exception failure) when (failure is IOException or SocketException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
        {
            to.Abort();
        }
    }

    void Settle(OutgoingBatch batch)
    {
        lock (gate)
            backlog -= batch.Bytes;
        batch.Done();
    }

    /// <summary>What goes out next; null when nothing does, and from then on nobody writes.</summary>
    object? Next(Wire to)
    {
        lock (gate)
        {
            if (IsOpen && wire == to)
            {
                if (control.TryDequeue(out var frame))
                    return frame;
                if (again.TryDequeue(out var before))
                {
                    underWay.Enqueue(before);
                    return before;
                }
                if (waiting.Count == 0 && underWay.Count < UnderWayMax)
                    CloseOpen();
                if (underWay.Count < UnderWayMax && waiting.TryDequeue(out var batch))
                {
                    batch.SetNumber(++batches);
                    if (!batch.IsQuiet)
                        underWay.Enqueue(batch);
                    return batch;
                }
            }
            if (writingTo == to)
                writingTo = null;
            return null;
        }
    }

    void Take(FrameKind kind, ReadOnlySpan<byte> body)
    {
        if (kind == FrameKind.Taken)
        {
            TakeTaken(Frames.Long(body));
            return;
        }
        var number = Frames.Long(body);
        lock (gate)
        {
            switch (kind)
            {
                case FrameKind.Known:
                    known = number;
                    Announce();
                    break;
                case FrameKind.Reply when asked.Remove(number, out var question):
                    if (body[8] == 1)
                        question.TrySetResult(body[9..].ToArray());
                    else
                        question.TrySetException(new IOException($"The node '{node}': {Encoding.UTF8.GetString(body[9..])}"));
                    break;
            }
        }
    }

    void TakeTaken(long number)
    {
        while (true)
        {
            OutgoingBatch? batch;
            lock (gate)
            {
                if (!underWay.TryPeek(out batch) || batch.Number > number)
                    break;
                underWay.Dequeue();
                backlog -= batch.Bytes;
            }
            batch.Done();
        }
        // What gathered meanwhile may go now.
        FlushSoon();
    }

    void Closed()
    {
        lock (gate)
        {
            IsOpen = false;
            known = 0;
            wire = null;
            Announce();
            foreach (var question in asked.Values)
                question.TrySetException(new IOException($"The connection to node '{node}' broke."));
            asked.Clear();
        }
    }

    void Announce()
    {
        var before = news;
        news = new(TaskCreationOptions.RunContinuationsAsynchronously);
        before.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await running;
        stopping.Dispose();
    }

    [LoggerMessage(1, LogLevel.Warning, "The connection to node '{Node}' broke: {Why}")]
    static partial void LogBroken(ILogger logger, string node, string why);

    [LoggerMessage(2, LogLevel.Information, "Node '{Node}' cannot be reached now: {Why}")]
    static partial void LogUnreached(ILogger logger, string node, string why);
}
