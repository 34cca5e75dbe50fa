using System.Diagnostics;
using System.Globalization;

namespace Althing.Bench;

/// <summary>How fast devices come in by mutual TLS: handshake without resumption, CONNECT, CONNACK, and away.</summary>
static class Handshakes
{
    const int Runs = 3;
    const int AtOnce = 32;
    static readonly TimeSpan Measured = TimeSpan.FromSeconds(5);

    public static async Task Run()
    {
        await using var keys = await DeviceKeys.Make();
        List<Server> servers = [await keys.StartPlatform(), await Mosquitto.Start(keys.Files)];
        if (await Nats.TryStart(keys.Files) is { } nats)
            servers.Add(nats);
        try
        {
            var rates = servers.ToDictionary(s => s, _ => new List<double>());
            var cpu = servers.ToDictionary(s => s, _ => new List<double>());
            foreach (var server in servers)
                await Connects(server, keys, TimeSpan.FromSeconds(2));
            for (var run = 0; run < Runs; run++)
            {
                foreach (var server in servers)
                {
                    var (before, clock) = (server.Cpu, Stopwatch.StartNew());
                    var made = await Connects(server, keys, Measured);
                    rates[server].Add(made / clock.Elapsed.TotalSeconds);
                    cpu[server].Add((server.Cpu - before).TotalMilliseconds / made);
                }
            }
            foreach (var server in servers)
            {
                var ratio = Load.Median(rates[servers[0]]) / Load.Median(rates[server]);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{server.Name,-14}{Load.Median(rates[server]),8:0} mutual-TLS connects/s   {Load.Median(cpu[server]):0.00} ms of CPU each   ours are {ratio:0.00} times as many"));
            }
        }
        finally
        {
            foreach (var server in servers)
                await server.DisposeAsync();
        }
    }

    static int named;

    static async Task<int> Connects(Server server, DeviceKeys keys, TimeSpan during)
    {
        var (made, clock) = (0, Stopwatch.StartNew());
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Factory.StartNew(() =>
        {
            while (clock.Elapsed < during)
            {
                // A name of its own for each: nats-server lets one wait that comes back at once.
                keys.Connect(server, $"device-{Interlocked.Increment(ref named)}").Dispose();
                Interlocked.Increment(ref made);
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        return made;
    }
}
