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

    public static async Task Run()
    {
        var only = Environment.GetEnvironmentVariable("ALTHING_BENCH_ONLY");
        var ours = await Platform.Start();
        await ours.MakeUser();
        List<Server> servers = [ours, await Mosquitto.Start()];
        if (await Nats.TryStart() is { } nats)
            servers.Add(nats);
        try
        {
            Console.WriteLine($"{"",-36}{string.Concat(servers.Select(s => $"{s.Name + "/s",12}"))}{"ratio",8}{"least",7}  {"CPU s per million, not delivered"}");
            foreach (var traffic in All.Where(t => only is null || t.Name.Contains(only, StringComparison.Ordinal)))
                await Row(servers, traffic);
        }
        finally
        {
            foreach (var server in servers)
                await server.DisposeAsync();
        }
    }

    static async Task Row(List<Server> servers, Traffic traffic)
    {
        var outcomes = servers.ToDictionary(s => s, _ => new List<Outcome>());
        await new LoadGenerator([servers[0]], traffic).Run();
        for (var run = 0; run < Runs; run++)
        {
            foreach (var server in servers)
                outcomes[server].Add(await new LoadGenerator([server], traffic).Run());
        }
        double Median(Server server, Func<Outcome, double> of) => Load.Median(outcomes[server].Select(of));
        var detail = string.Join("  ", servers.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Name} {Median(s, o => o.CpuPerMillion):0.00}, {outcomes[s].Sum(o => o.Lost)}")));
        if (traffic.PerSecond is not null)
            detail = "p50/p99/p99.9 us: " + string.Join("  ", servers.Select(s => string.Create(CultureInfo.InvariantCulture,
                $"{s.Name} {Median(s, o => o.Latency.P50):0}/{Median(s, o => o.Latency.P99):0}/{Median(s, o => o.Latency.P999):0}")));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{traffic.Name,-36}{string.Concat(servers.Select(s => $"{Median(s, o => o.PerSecond),12:0}"))}{Median(servers[0], o => o.PerSecond) / Median(servers[1], o => o.PerSecond),8:0.0}{traffic.Least,7}  {detail}"));
    }
}
