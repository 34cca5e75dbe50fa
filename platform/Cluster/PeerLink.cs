using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Althing.Broker;
using Althing.Mqtt;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Cluster;

/// <summary>
/// The way to another node: one connection, dialled again whenever it breaks. Messages gather into batches while others are under way; what
/// was not said to have come is sent again over the next connection, or to the node's heir.
/// </summary>
sealed partial class PeerLink(string node, ClusterNode self, Action dropped, ILogger logger) : IPeerQueue, IAsyncDisposable
{
    /// <summary>Batches that were sent and not said to have come. Few: what is published meanwhile gathers.</summary>
    const int UnderWayMax = 4;

    /// <summary>
    /// A batch costs both nodes as much as a hundred messages in it. One that is smaller than this waits until so long after the batch before;
    /// where little is published there was none, and nothing waits.
    /// </summary>
    const int GatherCount = 512;
    static readonly TimeSpan GatherMax = TimeSpan.FromMilliseconds(1);

    /// <summary>Beyond this, messages of QoS 0 are dropped; publishers of others wait for their acknowledgement and so send no more.</summary>
    const long BacklogBytesMax = 32L << 20;
    static readonly TimeSpan DialAgain = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan AskMax = TimeSpan.FromSeconds(30);

    readonly Lock gate = new();
    readonly PacketBuffer scratch = new();
    readonly Queue<byte[]> control = new();
    readonly Queue<OutgoingBatch> waiting = new();
    readonly Queue<OutgoingBatch> underWay = new();
    readonly Dictionary<long, TaskCompletionSource<byte[]>> asked = [];
    readonly SemaphoreSlim wake = new(0);
    readonly CancellationTokenSource stopping = new();
    OutgoingBatch? open;
    Func<OutgoingBatch, Task>? passTo;
    Task running = Task.CompletedTask;
    string address = "";
    long backlog;
    long batches;
    long sent;
    long questions;
    long known;
    TaskCompletionSource news = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Node => node;

    /// <summary>There is a connection now, over which the node was told all filters.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Dials this address from now on.</summary>
    public void Dial(string to)
    {
        lock (gate)
        {
            if (address == to)
                return;
            var first = address.Length == 0;
            address = to;
            if (first)
                running = Task.Run(Run);
        }
    }

    public Task Send(AccountId account, Message message, bool direct, string? group, Task? after) =>
        Send(account, message, direct, group, after, (self.Name, message.LogId));

    public Task Send(AccountId account, Message message, bool direct, string? group, Task? after, (string Node, long Id) origin)
    {
        lock (gate)
        {
            if (message.QoS == 0 && backlog > BacklogBytesMax)
            {
                dropped();
                return Task.CompletedTask;
            }
            var batch = open ??= Begin();
            backlog += batch.Add(scratch, account, message, direct, group, origin);
            batch.WaitFor(after);
            if (batch.IsFull || passTo is not null)
                CloseOpen();
            return message.QoS > 0 ? batch.Taken : Task.CompletedTask;
        }
    }

    public void Forward(AccountId account, MqttVersion version, MessageSource source, ReadOnlySpan<byte> publish)
    {
        lock (gate)
        {
            if (backlog > BacklogBytesMax)
            {
                dropped();
                return;
            }
            var batch = open ??= Begin();
            backlog += batch.Add(scratch, account, version, source, publish);
            if (batch.IsFull || passTo is not null)
                CloseOpen();
        }
    }

    OutgoingBatch Begin()
    {
        wake.Release();
        return new();
    }

    void CloseOpen()
    {
        if (open is not { } batch)
            return;
        open = null;
        batch.Close();
        if (passTo is { } pass)
            _ = pass(batch);
        else
            waiting.Enqueue(batch);
    }

    /// <summary>Sends a batch that another link could not bring to its end.</summary>
    public Task Pass(OutgoingBatch batch)
    {
        lock (gate)
        {
            backlog += batch.Bytes;
            waiting.Enqueue(batch);
            wake.Release();
            return batch.Taken;
        }
    }

    /// <summary>The node is dead and has an heir: all that is queued, and what still comes, goes there.</summary>
    public void PassTo(Func<OutgoingBatch, Task> heir)
    {
        lock (gate)
        {
            passTo = heir;
            CloseOpen();
            foreach (var batch in underWay.Concat(waiting))
                _ = heir(batch);
            underWay.Clear();
            waiting.Clear();
            foreach (var question in asked.Values)
                question.TrySetException(new IOException($"The node '{node}' is dead."));
            asked.Clear();
        }
        stopping.Cancel();
    }

    /// <summary>Tells the node of filters, before anything that is queued later.</summary>
    public void Tell(FilterChange change)
    {
        lock (gate)
        {
            if (!IsOpen)
                return;
            control.Enqueue(Frames.Make(FrameKind.Filters, JsonSerializer.SerializeToUtf8Bytes(change)));
            wake.Release();
        }
    }

    /// <summary>Completes when the node knows filters up to a change's number, or cannot be reached, in which case it will be told all anew.</summary>
    public async Task WhenKnown(long number)
    {
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (!IsOpen || known >= number)
                    return;
                next = news.Task;
            }
            await next;
        }
    }

    /// <summary>Asks the node something.</summary>
    /// <exception cref="IOException">It cannot be reached, or could not answer.</exception>
    public async Task<byte[]> Ask(string verb, byte[] question)
    {
        var answer = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        long number;
        lock (gate)
        {
            if (!IsOpen)
                throw new IOException($"The node '{node}' cannot be reached now.");
            number = ++questions;
            asked[number] = answer;
            control.Enqueue(Frames.Make(FrameKind.Request, Frames.Long(number), Frames.Text(verb), question));
            wake.Release();
        }
        try
        {
            return await answer.Task.WaitAsync(AskMax, self.Time);
        }
        catch (TimeoutException)
        {
            throw new IOException($"The node '{node}' did not answer in time.");
        }
        finally
        {
            lock (gate)
                asked.Remove(number);
        }
    }

    async Task Run()
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await Serve();
            }
            catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException or JsonException)
            {
                if (IsOpen)
                    LogBroken(logger, node, failure.Message);
            }
            Closed();
            await Task.Delay(DialAgain, self.Time, stopping.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
        }
    }

    async Task Serve()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        string to;
        lock (gate)
            to = address;
        await socket.ConnectAsync(IPEndPoint.Parse(to), stopping.Token);
        await using var stream = new NetworkStream(socket);
        await self.Proof.Dial(stream, self.Name, self.Epoch, stopping.Token);
        // While they are read no change is told: none is missed and none comes twice.
        var again = self.Filters.Read(Opened);
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
        var reading = Task.Run(() => Read(stream, broken));
        try
        {
            foreach (var batch in again)
                await stream.WriteAsync(batch.Frame, broken.Token);
            await Write(stream, broken.Token);
        }
        finally
        {
            await broken.CancelAsync();
            await reading;
        }
    }

    List<OutgoingBatch> Opened(FilterChange all)
    {
        lock (gate)
        {
            control.Clear();
            control.Enqueue(Frames.Make(FrameKind.Filters, JsonSerializer.SerializeToUtf8Bytes(all)));
            IsOpen = true;
            wake.Release();
            return [.. underWay];
        }
    }

    async Task Write(Stream stream, CancellationToken cancel)
    {
        while (true)
        {
            await wake.WaitAsync(cancel);
            if (ShouldGather())
                await Task.Delay(GatherMax, self.Time, cancel);
            while (Next() is { } next)
            {
                if (next is OutgoingBatch batch)
                    await batch.Ready.ContinueWith(static t => _ = t.Exception, cancel, TaskContinuationOptions.None, TaskScheduler.Default);
                await stream.WriteAsync(next is byte[] frame ? frame : ((OutgoingBatch)next).Frame, cancel);
            }
        }
    }

    bool ShouldGather()
    {
        lock (gate)
            return control.Count == 0 && waiting.Count == 0 && open is { Count: < GatherCount } && self.Time.GetElapsedTime(sent) < GatherMax;
    }

    object? Next()
    {
        lock (gate)
        {
            if (control.TryDequeue(out var frame))
                return frame;
            if (underWay.Count >= UnderWayMax)
                return null;
            if (waiting.Count == 0)
                CloseOpen();
            if (!waiting.TryDequeue(out var batch))
                return null;
            batch.SetNumber(++batches);
            sent = self.Time.GetTimestamp();
            underWay.Enqueue(batch);
            return batch;
        }
    }

    async Task Read(Stream stream, CancellationTokenSource broken)
    {
        try
        {
            while (true)
            {
                var (kind, body) = await Frames.Read(stream, broken.Token);
                Take(kind, body);
            }
        }
        catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException)
        {
            await broken.CancelAsync();
        }
    }

    void Take(FrameKind kind, byte[] body)
    {
        var number = Frames.Long(body);
        lock (gate)
        {
            switch (kind)
            {
                case FrameKind.Taken:
                    while (underWay.TryPeek(out var batch) && batch.Number <= number)
                    {
                        backlog -= batch.Bytes;
                        underWay.Dequeue().Done();
                    }
                    wake.Release();
                    break;
                case FrameKind.Known:
                    known = number;
                    Announce();
                    break;
                case FrameKind.Reply when asked.Remove(number, out var question):
                    if (body[8] == 1)
                        question.TrySetResult(body[9..]);
                    else
                        question.TrySetException(new IOException($"The node '{node}': {Encoding.UTF8.GetString(body.AsSpan(9))}"));
                    break;
            }
        }
    }

    void Closed()
    {
        lock (gate)
        {
            IsOpen = false;
            known = 0;
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
        wake.Dispose();
        stopping.Dispose();
    }

    [LoggerMessage(1, LogLevel.Warning, "The connection to node '{Node}' broke: {Why}")]
    static partial void LogBroken(ILogger logger, string node, string why);
}
