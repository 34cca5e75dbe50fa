using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Althing.Mqtt;
using Althing.Mqtt.Packets;
using Althing.Storage;

namespace Althing.Bench;

/// <summary>Shadow updates beside plain rows written through the same storage, their latency at a steady pace, and their cost with many shadows.</summary>
static class Shadows
{
    const int Runs = 3;
    const int Devices = 100;
    const int Window = 5;
    const int Pace = 1000;
    static readonly TimeSpan Measured = TimeSpan.FromSeconds(4);

    public static async Task Run()
    {
        List<double> updates = [], rows = [], p99 = [];
        for (var run = 0; run < Runs; run++)
        {
            rows.Add(await Rows());
            await using var platform = await Platform.Start();
            await platform.MakeUser();
            for (var warming = 0; warming < 3; warming++)
                await Updates(platform, 0);
            updates.Add(await Updates(platform, 0));
            p99.Add(await Latency(platform));
        }
        var (ours, plain) = (Load.Median(updates), Load.Median(rows));
        Say($"{plain,10:0} rows/s written by {Devices * Window} writers");
        Say($"{ours,10:0} shadow updates/s acknowledged for {Devices} devices, {Window} in flight each: {ours / plain:0.00} of the rows (asked: 0.5)");
        Say($"{Load.Median(p99),10:0.0} ms p99 from update to /accepted at {Pace}/s (asked: 10)");
        await Many();
    }

    /// <summary>The same updates when there are a hundred thousand shadows.</summary>
    static async Task Many()
    {
        const int many = 100_000;
        await using var platform = await Platform.Start();
        await platform.MakeUser();
        await Updates(platform, 0);
        List<double> few = [], all = [];
        for (var run = 0; run < Runs; run++)
            few.Add(await Updates(platform, 0));
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Devices).Select(d => Fill(platform, d, many / Devices)));
        Say($"{many,10} shadows made in {clock.Elapsed.TotalSeconds:0.0} s; {platform.ResidentBytes / 1048576.0:0} MB resident");
        for (var run = 0; run < Runs; run++)
            all.Add(await Updates(platform, run));
        Say($"{Load.Median(all),10:0} updates/s of {many} shadows, {Load.Median(few):0} of {Devices}: cost {Load.Median(few) / Load.Median(all):0.00}");
    }

    static async Task Fill(Server server, int device, int shadows)
    {
        using var socket = await Load.Connect(server, $"fill-{device}");
        using var frames = new Frames(socket);
        for (var i = 0; i < shadows; i += Window)
            await Exchange(socket, frames, n => Topic(device, i + n), 0);
    }

    static string Topic(int device, int number) => $"$aws/things/device-{device}-{number}/shadow/update";

    /// <summary>Sends as many updates as may be in flight and reads all acknowledgements.</summary>
    static async Task Exchange(Socket socket, Frames frames, Func<int, string> topic, long value)
    {
        using var packets = new PacketBuffer(4096);
        for (var n = 0; n < Window; n++)
            PublishPacket.Write(packets, MqttVersion.V311, topic(n), Document(value + n), 1, false, false, (ushort)(n + 1), null);
        await Load.SendAll(socket, packets.Written);
        for (var left = Window; left > 0;)
            left -= await frames.Next() == PacketType.PubAck ? 1 : 0;
    }

    /// <summary>256 bytes of reported state.</summary>
    static byte[] Document(long value)
    {
        var text = $$$"""{"state":{"reported":{"value":{{{value}}},"place":{"hall":7,"row":12},"on":true,"mode":"automatic","text":"{{{new string('x', 150)}}}" } } }""";
        return Encoding.UTF8.GetBytes(text.PadRight(256));
    }

    static async Task<double> Updates(Server server, int number)
    {
        var clock = Stopwatch.StartNew();
        var done = await Task.WhenAll(Enumerable.Range(0, Devices).Select(async d =>
        {
            using var socket = await Load.Connect(server, $"device-{d}");
            using var frames = new Frames(socket);
            var count = 0;
            for (; clock.Elapsed < Measured; count += Window)
                await Exchange(socket, frames, _ => Topic(d, number), count);
            return count;
        }));
        return done.Sum() / clock.Elapsed.TotalSeconds;
    }

    static async Task<double> Latency(Server server)
    {
        var clock = Stopwatch.StartNew();
        var every = TimeSpan.FromSeconds((double)Devices / Pace);
        var all = await Task.WhenAll(Enumerable.Range(0, Devices).Select(async d =>
        {
            using var socket = await Load.Connect(server, $"device-{d}");
            await Load.Subscribe(socket, $"$aws/things/device-{d}-0/shadow/update/accepted", 0);
            using var frames = new Frames(socket);
            List<double> latencies = [];
            for (var due = every * d / Devices + clock.Elapsed; clock.Elapsed < Measured; due += every)
            {
                if (due > clock.Elapsed)
                    await Task.Delay(due - clock.Elapsed);
                using var packet = new PacketBuffer(512);
                PublishPacket.Write(packet, MqttVersion.V311, Topic(d, 0), Document(latencies.Count), 0, false, false, 0, null);
                var began = clock.Elapsed;
                await Load.SendAll(socket, packet.Written);
                while (await frames.Next() != PacketType.Publish)
                {
                }
                latencies.Add((clock.Elapsed - began).TotalMilliseconds);
            }
            return latencies;
        }));
        var sorted = all.SelectMany(l => l).Order().ToList();
        return sorted[(int)(sorted.Count * 0.99)];
    }

    sealed record Plain(AccountId Account, string Name, string Text)
    {
        public static readonly Table<Plain> Table = new("plain", p => (p.Account, p.Name));
    }

    /// <summary>Rows of the same size, each written when the version read is the one there is.</summary>
    static async Task<double> Rows()
    {
        var folder = Directory.CreateTempSubdirectory("bench-rows-");
        try
        {
            await using var storage = PlatformStorage.Open(new() { Folder = folder.FullName });
            var account = new AccountId("000000000000");
            var (clock, text) = (Stopwatch.StartNew(), new string('x', 256));
            var done = await Task.WhenAll(Enumerable.Range(0, Devices * Window).Select(i => Task.Run(async () =>
            {
                var name = $"row-{i}";
                await storage.Store.Commit(new Batch().Add(Plain.Table, new(account, name, text)), CancellationToken.None);
                var count = 1;
                for (; clock.Elapsed < Measured; count++)
                {
                    var row = await storage.Store.Get(Plain.Table, account, name, CancellationToken.None);
                    await storage.Store.Commit(new Batch().Replace(Plain.Table, row!.Value, row.Value.Value with { Text = text }), CancellationToken.None);
                }
                return count;
            })));
            return done.Sum() / clock.Elapsed.TotalSeconds;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>What a client receives, packet by packet.</summary>
    sealed class Frames(Socket socket) : IDisposable
    {
        readonly byte[] buffer = new byte[1 << 14];
        int held;
        int taken;

        public async ValueTask<PacketType> Next()
        {
            while (true)
            {
                if (Take() is { } type)
                    return type;
                buffer.AsSpan(taken, held - taken).CopyTo(buffer);
                (held, taken) = (held - taken, 0);
                var read = await socket.ReceiveAsync(buffer.AsMemory(held));
                held += read > 0 ? read : throw new IOException("The server closed the connection.");
            }
        }

        PacketType? Take()
        {
            ReadOnlySpan<byte> bytes = buffer.AsSpan(taken, held - taken);
            if (!Frame.TryRead(ref bytes, int.MaxValue, out var frame))
                return null;
            taken = held - bytes.Length;
            return frame.Type;
        }

        public void Dispose() => socket.Dispose();
    }

    static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
