using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Althing.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Althing.Tests.Sockets;

/// <summary>Byte streams over sockets that event loops watch.</summary>
public sealed class LoopSocketTests
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_client_that_reads_late_gets_every_byte_in_order()
    {
        await using var server = await Server.Start(Echo);
        using var client = await server.Connect();
        var sent = Bytes(8_000_000);
        // More than both sockets' buffers hold: the server's writes must wait for room, and its reads with them.
        var sending = Send(client, sent);
        var received = new byte[sent.Length];
        await client.ReceiveAsync(received.AsMemory(0, 1), Cancel);
        await using var stream = new NetworkStream(client);
        await stream.ReadExactlyAsync(received.AsMemory(1), Cancel);
        await sending;
        Assert.True(received.AsSpan().SequenceEqual(sent));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5_000)]
    [InlineData(300_000)]
    public async Task What_a_reader_leaves_over_comes_again_with_what_follows(int recordBytes)
    {
        await using var server = await Server.Start(connection => EchoRecords(connection, recordBytes));
        using var client = await server.Connect();
        var sent = Bytes(recordBytes * 7);
        var sending = Task.Run(async () =>
        {
            for (var at = 0; at < sent.Length; at += 777)
                await client.SendAsync(sent.AsMemory(at, Math.Min(777, sent.Length - at)), Cancel);
        }, Cancel);
        var received = new byte[sent.Length];
        await using var stream = new NetworkStream(client);
        await stream.ReadExactlyAsync(received, Cancel);
        await sending;
        Assert.True(received.AsSpan().SequenceEqual(sent));
    }

    [Fact]
    public async Task The_end_of_the_clients_side_comes_after_its_last_bytes()
    {
        await using var server = await Server.Start(Echo);
        using var client = await server.Connect();
        await using var stream = new NetworkStream(client);
        await stream.WriteAsync(Bytes(1000), Cancel);
        client.Shutdown(SocketShutdown.Send);
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, Cancel);
        Assert.Equal(1000, all.Length);
    }

    [Fact]
    public async Task An_abort_ends_a_read_and_a_write_that_wait()
    {
        TaskCompletionSource<bool> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await Server.Start(async connection =>
        {
            var writing = connection.Transport.Output.WriteAsync(new byte[50_000_000]).AsTask();
            var reading = connection.Transport.Input.ReadAsync().AsTask();
            Assert.False(writing.IsCompleted || reading.IsCompleted);
            connection.Abort();
            await Assert.ThrowsAsync<IOException>(() => writing);
            ended.SetResult(await Record.ExceptionAsync(() => reading) is IOException || reading.Result.IsCompleted);
        });
        using var client = await server.Connect();
        Assert.True(await ended.Task.WaitAsync(Cancel));
    }

    [Fact]
    public async Task Many_clients_share_the_loops()
    {
        await using var server = await Server.Start(Echo);
        var sent = Bytes(20_000);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(async _ =>
        {
            using var client = await server.Connect();
            await using var stream = new NetworkStream(client);
            for (var round = 0; round < 5; round++)
            {
                await stream.WriteAsync(sent, Cancel);
                var received = new byte[sent.Length];
                await stream.ReadExactlyAsync(received, Cancel);
                Assert.True(received.AsSpan().SequenceEqual(sent));
            }
        }));
    }

    static async Task Echo(ConnectionContext connection)
    {
        while (true)
        {
            var read = await connection.Transport.Input.ReadAsync();
            await connection.Transport.Output.WriteAsync(read.Buffer.ToArray());
            connection.Transport.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return;
        }
    }

    static async Task EchoRecords(ConnectionContext connection, int recordBytes)
    {
        while (true)
        {
            var read = await connection.Transport.Input.ReadAsync();
            var whole = read.Buffer.Length / recordBytes * recordBytes;
            await connection.Transport.Output.WriteAsync(read.Buffer.Slice(0, whole).ToArray());
            connection.Transport.Input.AdvanceTo(read.Buffer.GetPosition(whole), read.Buffer.End);
            if (read.IsCompleted)
                return;
        }
    }

    static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }

    static async Task Send(Socket client, byte[] bytes)
    {
        await Task.Yield();
        for (var at = 0; at < bytes.Length;)
            at += await client.SendAsync(bytes.AsMemory(at), Cancel);
    }

    sealed class Server(WebApplication app) : IAsyncDisposable
    {
        public static async Task<Server> Start(Func<ConnectionContext, Task> serve)
        {
            Assert.SkipUnless(OperatingSystem.IsLinux(), "Event loops are Linux's.");
            var builder = WebApplication.CreateEmptyBuilder(new());
            builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(new LoopEndPoint(IPAddress.Loopback, 0), listen => listen.Run(serve)));
            builder.Services.AddSingleton<IConnectionListenerFactory, SocketListenerFactory>().AddLogging();
            var app = builder.Build();
            app.Run(_ => Task.CompletedTask);
            await app.StartAsync(Cancel);
            return new(app);
        }

        public async Task<Socket> Connect()
        {
            var address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, address.Port, Cancel);
            return socket;
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
