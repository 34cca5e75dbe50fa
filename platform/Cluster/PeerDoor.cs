using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using Althing.Broker;
using Althing.Mqtt;
using Althing.Sockets;
using Microsoft.Extensions.Logging;

namespace Althing.Cluster;

/// <summary>Where the other nodes bring their messages, filters and questions.</summary>
sealed partial class PeerDoor(ClusterNode self, MqttBroker broker, Peers peers, Func<string, byte[], Task<byte[]>> answer, ILogger logger)
{
    static readonly TimeSpan GreetingMax = TimeSpan.FromSeconds(5);

    /// <summary>Who has not proved anything yet is one of so many at most.</summary>
    const int GreetingsMax = 256;
    int greetings;

    readonly ConcurrentDictionary<string, Source> sources = new(StringComparer.Ordinal);

    /// <summary>What came from a node in one of its lives: a batch that comes again was not said to have come, and is not taken twice.</summary>
    sealed class Source
    {
        public SemaphoreSlim Gate { get; } = new(1);
        public long Epoch { get; set; }
        public long Number { get; set; }
    }

    public async Task Listen(Socket listener, CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                var socket = await listener.AcceptAsync(cancel);
                _ = Task.Run(() => Serve(socket, cancel), CancellationToken.None);
            }
            catch (Exception failure) when (failure is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                if (failure is not SocketException)
                    return;
            }
        }
    }

    async Task Serve(Socket socket, CancellationToken cancel)
    {
        try
        {
            using var from = await Greet(socket, cancel);
            await using var ending = cancel.Register(from.Wire.Abort);
            using var incoming = new IncomingBatches(broker);
            while (true)
            {
                var (kind, body) = await from.Wire.Frames.Next();
                if (kind is FrameKind.Batch or FrameKind.QuietBatch)
                    await TakeBatch(from, kind, body, incoming);
                else
                    await Take(from, kind, body.ToArray());
                // One word for all that came together.
                if (from.Taken > from.Told && !from.Wire.Frames.HasNext)
                    await from.Write(Frames.Make(FrameKind.Taken, Frames.Long(from.Told = from.Taken)));
            }
        }
        catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException or JsonException or System.Data.Common.DbException or MalformedPacketException or ObjectDisposedException or AuthenticationException)
        {
            LogEnded(logger, failure.Message);
        }
    }

    async Task<Visit> Greet(Socket socket, CancellationToken cancel)
    {
        using var greeting = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        greeting.CancelAfter(GreetingMax);
        Visit? from = null;
        try
        {
            if (Interlocked.Increment(ref greetings) > GreetingsMax)
                throw new IOException("More connections than may be are not yet known to be nodes'.");
            from = new(await Wire.Answer(socket, self.ListensSecurely ? self.Tls : null, greeting.Token));
            await using (greeting.Token.Register(from.Wire.Abort))
            {
                (from.Name, from.Epoch) = await self.Proof.Answer(from.Wire);
                if (from.Wire.Node is { } shown && shown != from.Name)
                    throw new IOException($"The node '{shown}' says that it is '{from.Name}'.");
                if (!await peers.Greet(from.Name, from.Epoch, greeting.Token))
                    throw new IOException($"'{from.Name}' is not a node of the cluster any more.");
            }
            return from;
        }
        catch
        {
            from?.Dispose();
            socket.Dispose();
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref greetings);
        }
    }

    /// <summary>A connection from another node.</summary>
    sealed class Visit(Wire wire) : IDisposable
    {
        readonly SemaphoreSlim writing = new(1);

        public Wire Wire => wire;
        public string Name { get; set; } = "";
        public long Epoch { get; set; }

        /// <summary>The last batch that came, of those of which the other node wants to hear.</summary>
        public long Taken { get; set; }

        /// <summary>The last one of which it was told.</summary>
        public long Told { get; set; }

        public async Task Write(byte[] frame)
        {
            await writing.WaitAsync();
            try
            {
                await wire.Write(frame);
            }
            finally
            {
                writing.Release();
            }
        }

        public void Dispose()
        {
            wire.Dispose();
            writing.Dispose();
        }
    }

    async Task Take(Visit from, FrameKind kind, byte[] body)
    {
        // It may take a while, and an event loop must not be kept.
        if (EventLoop.Current is not null)
            await Task.Yield();
        var filters = RequireNode(from);
        switch (kind)
        {
            case FrameKind.Filters:
                var change = JsonSerializer.Deserialize<FilterChange>(body) ?? throw new IOException("A node said no filters.");
                filters.Take(change);
                await from.Write(Frames.Make(FrameKind.Known, Frames.Long(change.Number)));
                return;
            case FrameKind.Request:
                _ = Task.Run(() => Answer(from, body), CancellationToken.None);
                return;
            default:
                throw new IOException($"The node '{from.Name}' sent {kind}, which is not expected here.");
        }
    }

    RemoteFilters RequireNode(Visit from) =>
        peers.FiltersOf(from.Name, from.Epoch) ?? throw new IOException($"'{from.Name}' is not a node of the cluster any more.");

    async Task TakeBatch(Visit from, FrameKind kind, ReadOnlyMemory<byte> body, IncomingBatches incoming)
    {
        RequireNode(from);
        var number = await TakeOnce(from, body, incoming);
        if (kind == FrameKind.Batch)
            from.Taken = number;
    }

    /// <returns>The batch's number.</returns>
    async ValueTask<long> TakeOnce(Visit from, ReadOnlyMemory<byte> body, IncomingBatches incoming)
    {
        var source = sources.GetOrAdd(from.Name, static _ => new());
        await source.Gate.WaitAsync();
        try
        {
            if (source.Epoch != from.Epoch)
                (source.Epoch, source.Number) = (from.Epoch, 0);
            var number = Frames.Long(body.Span);
            if (number > source.Number)
            {
                await incoming.Deliver(body);
                source.Number = number;
            }
            return number;
        }
        finally
        {
            source.Gate.Release();
        }
    }

    async Task Answer(Visit from, byte[] body)
    {
        var verbBytes = (body[8] << 8) | body[9];
        byte[] reply;
        try
        {
            reply = [1, .. await answer(Encoding.UTF8.GetString(body, 10, verbBytes), body[(10 + verbBytes)..])];
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogUnanswered(logger, failure);
            reply = [0, .. Encoding.UTF8.GetBytes(failure.Message)];
        }
        try
        {
            await from.Write(Frames.Make(FrameKind.Reply, body[..8], reply));
        }
        catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            LogEnded(logger, failure.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "A connection from another node ended: {Why}")]
    static partial void LogEnded(ILogger logger, string why);

    [LoggerMessage(2, LogLevel.Error, "Another node's question could not be answered")]
    static partial void LogUnanswered(ILogger logger, Exception failure);
}
