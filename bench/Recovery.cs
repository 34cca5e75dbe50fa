using System.Diagnostics;
using System.Globalization;
using System.Net.Http;
using System.Net.Sockets;
using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Bench;

/// <summary>
/// A start on a large log: until listeners are open, until a stranger is served, until the log is read, beside <c>cat</c> of the same files;
/// then how fast what waited is fetched.
/// </summary>
static class Recovery
{
    const int Sessions = 20;
    const int PayloadBytes = 1000;
    const int Batch = 100;

    public static async Task Run()
    {
        var megabytes = int.TryParse(Environment.GetEnvironmentVariable("ALTHING_BENCH_LOG_MB"), CultureInfo.InvariantCulture, out var given) ? given : 2048;
        var folder = Directory.CreateTempSubdirectory("bench-recovery-");
        try
        {
            var data = Path.Combine(folder.FullName, "data");
            var limits = Path.Combine(folder.FullName, "limits.json");
            await File.WriteAllTextAsync(limits, """{ "queuedMessagesMax": 100000000, "queuedBytesMax": 100000000000, "accountQueuedBytesMax": 100000000000 }""");
            long waiting;
            await using (var filled = await Platform.Start(data, "--limits", limits))
            {
                await filled.MakeUser();
                waiting = await Fill(filled, data, megabytes);
            }
            await Measure(data, limits, waiting);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <returns>How many messages wait for the first client.</returns>
    static async Task<long> Fill(Platform platform, string data, int megabytes)
    {
        for (var i = 0; i < Sessions; i++)
        {
            using var away = await Load.Connect(platform, $"away-{i}", cleanStart: false);
            await Load.Subscribe(away, $"away/{i}", 1);
        }
        var (clock, sent) = (Stopwatch.StartNew(), new long[Sessions]);
        await Task.WhenAll(Enumerable.Range(0, Sessions).Select(async i =>
        {
            using var socket = await Load.Connect(platform, $"pub-{i}");
            using var packets = new PacketBuffer();
            for (var id = 1; id <= Batch; id++)
                PublishPacket.Write(packets, MqttVersion.V311, $"away/{i}", new byte[PayloadBytes], 1, false, false, (ushort)id, null);
            var answers = new byte[4 * Batch];
            while (LogFiles(data).Sum(f => f.Length) < (long)megabytes << 20)
            {
                for (var round = 0; round < 100; round++)
                {
                    await Load.SendAll(socket, packets.Written);
                    await Load.ReceiveAll(socket, answers);
                    sent[i] += Batch;
                }
            }
        }));
        Say($"{sent.Sum()} messages of {PayloadBytes} bytes were acknowledged at {sent.Sum() / clock.Elapsed.TotalSeconds:0}/s; {platform.ResidentBytes / 1048576.0:0} MB resident then");
        return sent[0];
    }

    static FileInfo[] LogFiles(string data) => new DirectoryInfo(Path.Combine(data, "journals", "mqtt")).GetFiles();

    static async Task Measure(string data, string limits, long waiting)
    {
        var files = LogFiles(data);
        var gigabytes = files.Sum(f => f.Length) / 1e9;
        await Cat(files);
        var cat = await Cat(files);
        var clock = Stopwatch.StartNew();
        await using var platform = await Platform.Start(data, "--limits", limits);
        var open = clock.Elapsed;
        using (var stranger = await Load.Connect(platform, "stranger"))
            await Load.Subscribe(stranger, "elsewhere", 0);
        var served = clock.Elapsed;
        using var http = new HttpClient();
        var health = await http.GetStringAsync($"http://127.0.0.1:{platform.HttpPort}/healthz/ready");
        using var away = await Load.Connect(platform, "away-0", cleanStart: false);
        var read = clock.Elapsed;
        Say($"cat reads {gigabytes:0.00} GB at {gigabytes / cat.TotalSeconds:0.00} GB/s");
        Say($"listeners open after {open.TotalSeconds:0.00} s, a stranger served after {served.TotalSeconds:0.00} s; health says {health.Trim()}");
        Say($"log read after {read.TotalSeconds:0.00} s: at least {gigabytes / read.TotalSeconds:0.00} GB/s from the process's start, {gigabytes / (read - open).TotalSeconds:0.00} GB/s from open listeners; {platform.ResidentBytes / 1048576.0:0} MB resident");
        Say($"one client fetches {await Fetch(away, waiting):0} messages a second, acknowledging each");
    }

    static async Task<TimeSpan> Cat(FileInfo[] files)
    {
        var clock = Stopwatch.StartNew();
        using var cat = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "cat \"$@\" > /dev/null", "cat", .. files.Select(f => f.FullName)]))!;
        await cat.WaitForExitAsync();
        return clock.Elapsed;
    }

    static async Task<double> Fetch(Socket socket, long waiting)
    {
        var buffer = new byte[1 << 20];
        var (held, count, clock) = (0, 0, Stopwatch.StartNew());
        using var answers = new PacketBuffer();
        while (count < waiting)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(held));
            if (read == 0)
                throw new IOException("The server closed the connection.");
            held += read;
            held -= Take(buffer.AsSpan(0, held), answers, ref count);
            await Load.SendAll(socket, answers.Written);
            answers.Clear();
        }
        return count / clock.Elapsed.TotalSeconds;
    }

    /// <summary>Acknowledges what is whole in the buffer, moves the rest to its beginning and answers how much was taken.</summary>
    static int Take(Span<byte> buffer, PacketBuffer answers, ref int count)
    {
        ReadOnlySpan<byte> rest = buffer;
        while (Frame.TryRead(ref rest, int.MaxValue, out var frame))
        {
            if (frame.Type != PacketType.Publish)
                continue;
            count++;
            var topic = (frame.Body[0] << 8) | frame.Body[1];
            answers.Byte((int)PacketType.PubAck << 4);
            answers.Byte(2);
            answers.Raw(frame.Body.Slice(2 + topic, 2));
        }
        var taken = buffer.Length - rest.Length;
        rest.CopyTo(buffer);
        return taken;
    }

    static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
