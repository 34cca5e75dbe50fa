using System.Globalization;

namespace Althing.Bench;

/// <summary>The broker beside its peers: policies judged and metrics on at ours, neither at theirs.</summary>
static class BrokerTable
{
    const int Runs = 3;

    static readonly Traffic[] All =
    [
        new("fan-in 100 to 1, QoS 0, 50 a write", 100, 1, 0, 50, 18),
        new("fan-in 100 to 1, QoS 0, 1 a write", 100, 1, 0, 1, 2.25),
        new("fan-in 100 to 1, QoS 1", 100, 1, 1, 50, 21),
        new("fan-out 1 to 100, QoS 0", 1, 100, 0, 20, 40),
        new("fan-out 1 to 1000, QoS 0", 1, 1000, 0, 5, 30),
        new("50 pairs, QoS 0", 50, 50, 0, 50, 14) { InPairs = true },
        new("50 pairs, QoS 1", 50, 50, 1, 50, 20) { InPairs = true },
        new("50 pairs, 5 000 a second", 50, 50, 0, 1, 0) { InPairs = true, PerSecond = 5000 },
    ];

    /// <summary>The shapes that are measured over TLS as well.</summary>
    static readonly HashSet<string> Encrypted = [.. All.Where(t => t.Publishers * t.Subscribers < 1000 || t.InPairs).Select(t => t.Name)];

    static string? Only => Environment.GetEnvironmentVariable("ALTHING_BENCH_ONLY");

    public static async Task Run()
    {
        var ours = await Platform.Start();
        await ours.MakeUser();
        List<Server> servers = [ours, await Mosquitto.Start()];
        if (await Nats.TryStart() is { } nats)
            servers.Add(nats);
        await Table(servers, All, null);
    }

    /// <summary>The same over mutual TLS.</summary>
    public static async Task RunEncrypted()
    {
        await using var keys = await DeviceKeys.Make();
        List<Server> servers = [await keys.StartPlatform(), await Mosquitto.Start(keys.Files)];
        if (await Nats.TryStart(keys.Files) is { } nats)
            servers.Add(nats);
        await Table(servers, All.Where(t => Encrypted.Contains(t.Name)), keys);
    }

    static async Task Table(List<Server> servers, IEnumerable<Traffic> shapes, DeviceKeys? keys)
    {
        try
        {
            Console.WriteLine($"{"",-36}{string.Concat(servers.Select(s => $"{s.Name + "/s",12}"))}{string.Concat(servers.Skip(1).Select(s => $"{"times " + s.Name,17}"))}{"least",7}  {"CPU s per million, not delivered"}");
            foreach (var traffic in shapes.Where(t => Only is null || t.Name.Contains(Only, StringComparison.Ordinal)))
                await Row(servers, traffic, keys);
        }
        finally
        {
            foreach (var server in servers)
                await server.DisposeAsync();
        }
    }

    static async Task Row(List<Server> servers, Traffic traffic, DeviceKeys? keys)
    {
        var outcomes = servers.ToDictionary(s => s, _ => new List<Outcome>());
        await new LoadGenerator([servers[0]], traffic, keys).Run();
        for (var run = 0; run < Runs; run++)
        {
            foreach (var server in servers)
                outcomes[server].Add(await new LoadGenerator([server], traffic, keys).Run());
        }
        double Median(Server server, Func<Outcome, double> of) => Load.Median(outcomes[server].Select(of));
        var detail = string.Join("  ", servers.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Name} {Median(s, o => o.CpuPerMillion):0.00}, {outcomes[s].Sum(o => o.Lost)}")));
        if (traffic.PerSecond is not null)
            detail = "p50/p99/p99.9 us: " + string.Join("  ", servers.Select(s => string.Create(CultureInfo.InvariantCulture,
                $"{s.Name} {Median(s, o => o.Latency.P50):0}/{Median(s, o => o.Latency.P99):0}/{Median(s, o => o.Latency.P999):0}")));
        var ours = Median(servers[0], o => o.PerSecond);
        var times = string.Concat(servers.Skip(1).Select(s => string.Create(CultureInfo.InvariantCulture, $"{ours / Median(s, o => o.PerSecond),17:0.0}")));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{traffic.Name,-36}{string.Concat(servers.Select(s => $"{Median(s, o => o.PerSecond),12:0}"))}{times}{traffic.Least,7}  {detail}"));
    }
}
