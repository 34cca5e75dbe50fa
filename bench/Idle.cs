using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Althing.Mqtt.Packets;

namespace Althing.Bench;

/// <summary>What a connection costs that says nothing: memory in a fresh process, and CPU while it only keeps itself alive.</summary>
static class Idle
{
    const int Warm = 200;
    static readonly TimeSpan Settle = TimeSpan.FromSeconds(10);
    static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(60);

    static int Connections => int.TryParse(Environment.GetEnvironmentVariable("ALTHING_BENCH_CONNECTIONS"), CultureInfo.InvariantCulture, out var given) ? given : 10_000;

    public static async Task Run()
    {
        Console.WriteLine($"{"",-14}{"connections",12}{"bytes each, plain",20}{"% of a core",14}{"bytes each, mutual TLS",24}");
        await using var pki = await DeviceKeys.Make();
        await Row(async () => await pki.StartPlatform(), pki);
        await Row(async () => await Mosquitto.Start(pki.Files), pki);
        await Row(async () => await Nats.TryStart(), pki);
        await Row(async () => await Nats.TryStart(pki.Files), pki);
    }

    static async Task Row(Func<Task<Server?>> start, DeviceKeys keys)
    {
        var (plain, cpu, tls, name) = ("-", "-", "-", "");
        await using (var server = await start())
        {
            if (server is null)
                return;
            name = server.Name;
            if (server.Port != server.TlsPort)
            {
                var measured = await Measure(server, i => PlainClient(server, i), Ping);
                (plain, cpu) = (Text(measured.Bytes), measured.CpuPercent.ToString("0.00", CultureInfo.InvariantCulture));
            }
        }
        await using (var server = await start())
        {
            if (server!.TlsPort != 0)
                tls = Text((await Measure<SecureClient>(server, i => Task.FromResult(keys.Connect(server, $"idle-{i}")), null)).Bytes);
        }
        Console.WriteLine($"{name,-14}{Connections,12}{plain,20}{cpu,14}{tls,24}");

        static string Text(double bytes) => bytes.ToString("0", CultureInfo.InvariantCulture);
    }

    static async Task<NetworkStream> PlainClient(Server server, int number) => new(await Load.Connect(server, $"idle-{number}"), ownsSocket: true);

    static async Task<(double Bytes, double CpuPercent)> Measure<T>(Server server, Func<int, Task<T>> connect, Func<Server, T[], Task<double>>? ping) where T : IDisposable
    {
        for (var i = 0; i < Warm; i++)
            (await connect(i)).Dispose();
        await Task.Delay(Settle);
        var before = server.ResidentBytes;
        var clients = new T[Connections];
        try
        {
            await Parallel.ForAsync(0, Connections, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) => clients[i] = await connect(Warm + i));
            await Task.Delay(Settle);
            var bytes = (server.ResidentBytes - before) / (double)Connections;
            return (bytes, ping is null ? 0 : await ping(server, clients));
        }
        finally
        {
            foreach (var client in clients.Where(c => c is not null))
                client.Dispose();
        }
    }

    /// <summary>Every client says once in its keep-alive time that it is there, one after the other.</summary>
    static async Task<double> Ping(Server server, NetworkStream[] clients)
    {
        var (clock, cpu) = (Stopwatch.StartNew(), server.Cpu);
        var answer = new byte[2];
        for (var i = 0; i < clients.Length; i++)
        {
            var due = KeepAlive * ((double)i / clients.Length);
            if (due > clock.Elapsed)
                await Task.Delay(due - clock.Elapsed + TimeSpan.FromMilliseconds(5));
            await clients[i].WriteAsync(new byte[] { (int)Mqtt.PacketType.PingReq << 4, 0 });
            await clients[i].ReadExactlyAsync(answer);
        }
        return (server.Cpu - cpu) / clock.Elapsed * 100;
    }
}
