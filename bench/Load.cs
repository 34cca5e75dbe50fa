using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Bench;

/// <summary>What one run came to.</summary>
/// <param name="CpuPerMillion">Seconds of the server's CPU for a million deliveries.</param>
sealed record Outcome(double PerSecond, double CpuPerMillion, long Lost);

/// <summary>
/// A load generator that is not the bottleneck: publishers write runs of packets encoded beforehand, the subscriber counts frames without
/// decoding them.
/// </summary>
static class Load
{
    const int PayloadBytes = 64;

    /// <summary>How long without any delivery means that the rest is lost.</summary>
    static readonly TimeSpan Silence = TimeSpan.FromSeconds(3);

    /// <param name="publishers">Connections that publish, all to topics that the one subscriber listens to.</param>
    /// <param name="perWrite">Packets in one write; with QoS 1 also how many are in flight at once.</param>
    public static async Task<Outcome> FanIn(Server server, int publishers, int messages, int qos, int perWrite)
    {
        using var subscriber = await Connect(server, "bench-sub");
        await Subscribe(subscriber, "bench/#", qos);
        var sockets = new Socket[publishers];
        for (var i = 0; i < publishers; i++)
            sockets[i] = await Connect(server, $"bench-pub-{i}");
        var cpu = server.Cpu;
        var clock = Stopwatch.StartNew();
        var wanted = (long)messages * publishers;
        var counting = Count(subscriber, wanted, qos);
        await Task.WhenAll(sockets.Select((s, i) => Publish(s, $"bench/device-{i}", messages, qos, perWrite)));
        var (got, last) = await counting;
        var used = server.Cpu - cpu;
        foreach (var socket in sockets)
            socket.Dispose();
        return new(got / last.TotalSeconds, used.TotalSeconds / got * 1e6, wanted - got);

        async Task<(long, TimeSpan)> Count(Socket socket, long total, int q)
        {
            using var counter = new FrameCounter(q > 0 ? socket : null);
            var buffer = new byte[1 << 18];
            var at = TimeSpan.Zero;
            while (counter.Publishes < total)
            {
                var read = socket.ReceiveAsync(buffer.AsMemory()).AsTask();
                if (await Task.WhenAny(read, Task.Delay(Silence)) != read)
                    break;
                if (await read == 0)
                    break;
                await counter.Feed(buffer.AsMemory(0, read.Result));
                at = clock.Elapsed;
            }
            return (counter.Publishes, at);
        }
    }

    static async Task Publish(Socket socket, string topic, int messages, int qos, int perWrite)
    {
        using var packets = new PacketBuffer(perWrite * (PayloadBytes + topic.Length + 8));
        var payload = Encoding.ASCII.GetBytes(new string('x', PayloadBytes));
        for (var i = 0; i < perWrite; i++)
            PublishPacket.Write(packets, MqttVersion.V311, topic, payload, qos, false, false, (ushort)(i + 1), null);
        var answers = new byte[perWrite * 4];
        for (var sent = 0; sent < messages; sent += perWrite)
        {
            await SendAll(socket, packets.Written);
            // Each acknowledgement has four bytes.
            for (var waiting = qos > 0 ? perWrite * 4 : 0; waiting > 0;)
                waiting -= await socket.ReceiveAsync(answers.AsMemory(0, waiting));
        }
    }

    public static async Task SendAll(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
            bytes = bytes[await socket.SendAsync(bytes)..];
    }

    public static async Task<Socket> Connect(Server server, string clientId)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, server.Port);
        using var packet = new PacketBuffer();
        new ConnectPacket
        {
            Version = MqttVersion.V311, CleanStart = true, KeepAliveSeconds = 600, ClientId = clientId, UserName = server.User,
            Password = server.Password is { } password ? Encoding.UTF8.GetBytes(password) : null,
        }.Write(packet);
        await SendAll(socket, packet.Written);
        var answer = new byte[4];
        await ReceiveAll(socket, answer);
        return answer[3] == 0 ? socket : throw new InvalidOperationException($"{server.Name} refused {clientId} with {answer[3]}.");
    }

    static async Task Subscribe(Socket socket, string filter, int qos)
    {
        using var packet = new PacketBuffer();
        new SubscribePacket(1, [new(filter, qos)], null).Write(packet, MqttVersion.V311);
        await SendAll(socket, packet.Written);
        await ReceiveAll(socket, new byte[5]);
    }

    static async Task ReceiveAll(Socket socket, Memory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var read = await socket.ReceiveAsync(bytes);
            bytes = read > 0 ? bytes[read..] : throw new IOException("The server closed the connection.");
        }
    }

    public static async Task WaitForPort(int port)
    {
        for (var i = 0; i < 200; i++)
        {
            try
            {
                using var tcp = new TcpClient();
                await tcp.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(25);
            }
        }
        throw new InvalidOperationException($"Nothing listens on port {port}.");
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}

/// <summary>Counts PUBLISH frames in a stream, and acknowledges them when they ask for it.</summary>
sealed class FrameCounter(Socket? acknowledge) : IDisposable
{
    readonly byte[] rest = new byte[1 << 19];
    readonly PacketBuffer answers = new(4096);
    int held;

    public long Publishes { get; private set; }

    public void Dispose() => answers.Dispose();

    public async Task Feed(ReadOnlyMemory<byte> bytes)
    {
        bytes.CopyTo(rest.AsMemory(held));
        held += bytes.Length;
        var used = Take(rest.AsSpan(0, held));
        rest.AsSpan(used, held - used).CopyTo(rest);
        held -= used;
        if (answers.Length > 0)
            await Load.SendAll(acknowledge!, answers.Written);
        answers.Clear();
    }

    int Take(ReadOnlySpan<byte> bytes)
    {
        var whole = bytes.Length;
        while (Frame.TryRead(ref bytes, int.MaxValue, out var frame))
        {
            if (frame.Type != PacketType.Publish)
                continue;
            Publishes++;
            if (acknowledge is null)
                continue;
            var topic = (frame.Body[0] << 8) | frame.Body[1];
            answers.Byte((int)PacketType.PubAck << 4);
            answers.Byte(2);
            answers.Raw(frame.Body.Slice(2 + topic, 2));
        }
        return whole - bytes.Length;
    }
}
