using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Althing.Broker;
using Althing.Mqtt;
using Microsoft.Extensions.Logging;

namespace Althing.Cluster;

/// <summary>Where the other nodes bring their messages, filters and questions.</summary>
sealed partial class PeerDoor(ClusterNode self, MqttBroker broker, Peers peers, Func<string, byte[], Task<byte[]>> answer, ILogger logger)
{
    static readonly TimeSpan GreetingMax = TimeSpan.FromSeconds(5);

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
        using var owned = socket;
        socket.NoDelay = true;
        await using var stream = new NetworkStream(socket);
        using var writing = new SemaphoreSlim(1);
        try
        {
            string name;
            long epoch;
            using (var greeting = CancellationTokenSource.CreateLinkedTokenSource(cancel))
            {
                greeting.CancelAfter(GreetingMax);
                (name, epoch) = await self.Proof.Answer(stream, greeting.Token);
                if (!await peers.Greet(name, epoch, greeting.Token))
                    throw new IOException($"'{name}' is not a node of the cluster any more.");
            }
            using var reader = new FrameReader(stream);
            using var incoming = new IncomingBatches(broker);
            while (true)
            {
                var (kind, body) = await reader.Next(cancel);
                if (kind == FrameKind.Batch)
                    await TakeBatch(name, epoch, body, incoming, stream, writing, cancel);
                else
                    await Take(name, epoch, kind, body.ToArray(), stream, writing, cancel);
            }
        }
        catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException or JsonException or System.Data.Common.DbException or MalformedPacketException or ObjectDisposedException)
        {
            LogEnded(logger, failure.Message);
        }
    }

    async Task Take(string name, long epoch, FrameKind kind, byte[] body, Stream stream, SemaphoreSlim writing, CancellationToken cancel)
    {
        var filters = RequireNode(name, epoch);
        switch (kind)
        {
            case FrameKind.Filters:
                var change = JsonSerializer.Deserialize<FilterChange>(body) ?? throw new IOException("A node said no filters.");
                filters.Take(change);
                await Write(stream, writing, Frames.Make(FrameKind.Known, Frames.Long(change.Number)), cancel);
                return;
            case FrameKind.Request:
                _ = Task.Run(() => Answer(body, stream, writing, cancel), CancellationToken.None);
                return;
            default:
                throw new IOException($"The node '{name}' sent {kind}, which is not expected here.");
        }
    }

    RemoteFilters RequireNode(string name, long epoch) =>
        peers.FiltersOf(name, epoch) ?? throw new IOException($"'{name}' is not a node of the cluster any more.");

    async Task TakeBatch(
        string name, long epoch, ReadOnlyMemory<byte> body, IncomingBatches incoming, Stream stream, SemaphoreSlim writing, CancellationToken cancel)
    {
        RequireNode(name, epoch);
        await TakeOnce(name, epoch, body, incoming);
        await Write(stream, writing, Frames.Make(FrameKind.Taken, body[..8].ToArray()), cancel);
    }

    async Task TakeOnce(string name, long epoch, ReadOnlyMemory<byte> body, IncomingBatches incoming)
    {
        var source = sources.GetOrAdd(name, static _ => new());
        await source.Gate.WaitAsync();
        try
        {
            if (source.Epoch != epoch)
                (source.Epoch, source.Number) = (epoch, 0);
            var number = Frames.Long(body.Span);
            if (number <= source.Number)
                return;
            await incoming.Deliver(body);
            source.Number = number;
        }
        finally
        {
            source.Gate.Release();
        }
    }

    async Task Answer(byte[] body, Stream stream, SemaphoreSlim writing, CancellationToken cancel)
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
            await Write(stream, writing, Frames.Make(FrameKind.Reply, body[..8], reply), cancel);
        }
        catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            LogEnded(logger, failure.Message);
        }
    }

    static async Task Write(Stream stream, SemaphoreSlim writing, byte[] frame, CancellationToken cancel)
    {
        await writing.WaitAsync(cancel);
        try
        {
            await stream.WriteAsync(frame, cancel);
        }
        finally
        {
            writing.Release();
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "A connection from another node ended: {Why}")]
    static partial void LogEnded(ILogger logger, string why);

    [LoggerMessage(2, LogLevel.Error, "Another node's question could not be answered")]
    static partial void LogUnanswered(ILogger logger, Exception failure);
}
