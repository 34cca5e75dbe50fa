using System.Text;
using System.Text.Json;
using Althing.Broker;
using Althing.Mqtt;
using Althing.Sockets;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Cluster;

/// <summary>
/// The way to another node: one connection, dialled again whenever it breaks. Messages gather into batches: all that one turn of an event
/// loop has for the node, and all that comes while others are under way. What had to come and was not said to have come is sent again over
/// the next connection, or to the node's heir.
/// </summary>
sealed partial class PeerLink(string node, ClusterNode self, Action dropped, ILogger logger) : IPeerQueue, ITurnEnd, IAsyncDisposable
{
    /// <summary>Batches that were sent and not said to have come. Few: what is published meanwhile gathers.</summary>
    const int UnderWayMax = 16;

    /// <summary>Beyond this, messages of QoS 0 are dropped; publishers of others wait for their acknowledgement and so send no more.</summary>
    const long BacklogBytesMax = 32L << 20;
    static readonly TimeSpan DialAgain = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan AskMax = TimeSpan.FromSeconds(30);

    readonly Lock gate = new();
    readonly PacketBuffer scratch = new();
    readonly Queue<byte[]> control = new();
    readonly Queue<OutgoingBatch> waiting = new();
    readonly Queue<OutgoingBatch> underWay = new();

    /// <summary>Of an earlier connection.</summary>
    readonly Queue<OutgoingBatch> again = new();
    readonly Dictionary<long, TaskCompletionSource<byte[]>> asked = [];
    readonly CancellationTokenSource stopping = new();
    OutgoingBatch? open;
    Func<OutgoingBatch, Task>? passTo;
    Task running = Task.CompletedTask;
    string address = "";
    long backlog;
    long batches;
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
        Task taken;
        lock (gate)
        {
            if (message.QoS == 0 && IsOverfull)
                return Task.CompletedTask;
            var batch = open ??= new();
            backlog += batch.Add(scratch, account, message, direct, group, origin);
            batch.WaitFor(after);
            taken = message.QoS > 0 ? batch.Taken : Task.CompletedTask;
            CloseWhenFull(batch);
        }
        FlushSoon();
        return taken;
    }

    public void Forward(AccountId account, MqttVersion version, MessageSource source, ReadOnlySpan<byte> publishes)
    {
        lock (gate)
        {
            if (IsOverfull)
                return;
            Add(account, version, source, publishes, mustCome: false);
        }
        FlushSoon();
    }

    public Task PassOn(AccountId account, MqttVersion version, MessageSource source, ReadOnlySpan<byte> publish)
    {
        Task passed;
        lock (gate)
            passed = Add(account, version, source, publish, mustCome: true).Passed;
        FlushSoon();
        return passed;
    }

    OutgoingBatch Add(AccountId account, MqttVersion version, MessageSource source, ReadOnlySpan<byte> publishes, bool mustCome)
    {
        var batch = open ??= new();
        backlog += batch.Add(scratch, account, version, source, publishes, mustCome);
        CloseWhenFull(batch);
        return batch;
    }

    bool IsOverfull
    {
        get
        {
            if (backlog <= BacklogBytesMax)
                return false;
            dropped();
            return true;
        }
    }

    void CloseWhenFull(OutgoingBatch batch)
    {
        if (batch.IsFull || passTo is not null)
            CloseOpen();
    }

    void CloseOpen()
    {
        if (open is not { } batch)
            return;
        open = null;
        batch.Close();
        if (passTo is { } pass)
            PassOn(batch, pass);
        else
            waiting.Enqueue(batch);
    }

    static void PassOn(OutgoingBatch batch, Func<OutgoingBatch, Task> heir)
    {
        if (batch.IsQuiet)
            batch.Done();
        else
            _ = heir(batch);
    }

    /// <summary>Sends a batch that another link could not bring to its end.</summary>
    public Task Pass(OutgoingBatch batch)
    {
        Task taken;
        lock (gate)
        {
            backlog += batch.Bytes;
            taken = batch.Taken;
            if (passTo is { } pass)
                PassOn(batch, pass);
            else
                waiting.Enqueue(batch);
        }
        FlushSoon();
        return taken;
    }

    /// <summary>The node is dead and has an heir: all that is queued, and what still comes, goes there.</summary>
    public void PassTo(Func<OutgoingBatch, Task> heir)
    {
        lock (gate)
        {
            passTo = heir;
            CloseOpen();
            foreach (var batch in again.Concat(underWay).Concat(waiting))
                PassOn(batch, heir);
            again.Clear();
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
        }
        FlushSoon();
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
        }
        FlushSoon();
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
}
