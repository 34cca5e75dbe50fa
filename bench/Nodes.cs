using System.Globalization;

namespace Althing.Bench;

/// <summary>
/// Two nodes beside one, each with a quarter of a core, so that on a machine with two the generator never wants for time. Half of the pairs have their ends on
/// different nodes, as chance would have it. The limit is a control group's, which only root may set.
/// </summary>
static class Nodes
{
    const int Runs = 5;
    const string Limits = "/sys/fs/cgroup/cpu";
    /// <summary>As much is on the way to one node as to two, which is enough for two.</summary>
    const int Servers = 2;
    const int PeriodMicroseconds = 10_000;

    static readonly Traffic[] All =
    [
        new("50 pairs, QoS 0, 50 a write", 50, 50, 0, 50, 1.6) { InPairs = true, Depth = Servers },
        new("50 pairs, QoS 1", 50, 50, 1, 50, 1.6) { InPairs = true, Depth = Servers },
        new("fan-out 1 to 100, QoS 0", 1, 100, 0, 20, 1.6) { Depth = Servers },
    ];

    public static async Task Run()
    {
        if (Environment.GetEnvironmentVariable("ALTHING_BENCH_POSTGRES") is not { Length: > 0 } postgres)
        {
            Console.WriteLine("Not measured: give the connection string of an empty PostgreSQL schema in ALTHING_BENCH_POSTGRES.");
            return;
        }
        Environment.SetEnvironmentVariable("ALTHING_POSTGRES", postgres);
        await using var a = await Platform.Start(null, "--join", "--node", "a");
        await a.MakeUser();
        var folder = Directory.CreateTempSubdirectory("bench-node-b-");
        File.Copy(Path.Combine(a.Data, "master.key"), Path.Combine(folder.FullName, "master.key"));
        await using var b = await Platform.Start(folder.FullName, "--join", "--node", "b");
        try
        {
            // With all there is, so that the compiler is done before anything is measured.
            foreach (var servers in new Server[][] { [a], [b], [a, b], [b, a], [a, b], [b, a] })
            {
                foreach (var traffic in All)
                    await new LoadGenerator(servers, traffic).Run();
            }
            var limited = Limit("a", a) && Limit("b", b);
            if (!limited)
                Console.WriteLine($"No limits can be set in {Limits}: the nodes share both cores with the generator, so that rates do not tell; the CPU per message does.");
            Console.WriteLine($"{"",-32}{"one/s",12}{"two/s",12}{"ratio",8}{"least",7}  CPU s per million, not delivered");
            var only = Environment.GetEnvironmentVariable("ALTHING_BENCH_ONLY");
            foreach (var traffic in All.Where(t => only is null || t.Name.Contains(only, StringComparison.Ordinal)))
                await Row(a, b, traffic);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    static async Task Row(Server a, Server b, Traffic traffic)
    {
        List<Outcome> one = [], two = [];
        for (var run = 0; run < Runs; run++)
        {
            one.Add(await new LoadGenerator([a], traffic).Run());
            two.Add(await new LoadGenerator([a, b], traffic).Run());
        }
        double Of(List<Outcome> outcomes, Func<Outcome, double> what) => Load.Median(outcomes.Select(what));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{traffic.Name,-32}{Of(one, o => o.PerSecond),12:0}{Of(two, o => o.PerSecond),12:0}{Of(two, o => o.PerSecond) / Of(one, o => o.PerSecond),8:0.00}{traffic.Least,7}  "
            + $"one {Of(one, o => o.CpuPerMillion):0.00}, {one.Sum(o => o.Lost)}  two {Of(two, o => o.CpuPerMillion):0.00}, {two.Sum(o => o.Lost)}"));
    }

    static bool Limit(string name, Server node)
    {
        var group = Path.Combine(Limits, $"althing-bench-{name}");
        try
        {
            Directory.CreateDirectory(group);
            File.WriteAllText(Path.Combine(group, "cpu.cfs_period_us"), PeriodMicroseconds.ToString(CultureInfo.InvariantCulture));
            File.WriteAllText(Path.Combine(group, "cpu.cfs_quota_us"), (PeriodMicroseconds / 4).ToString(CultureInfo.InvariantCulture));
            File.WriteAllText(Path.Combine(group, "cgroup.procs"), node.ProcessId.ToString(CultureInfo.InvariantCulture));
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
