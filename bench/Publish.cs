using System.Globalization;

namespace Althing.Bench;

/// <summary>Publish to delivery, with policies judged on our side and none on mosquitto's.</summary>
static class Publish
{
    const int Runs = 3;

    sealed record Setup(string Name, int Publishers, int Messages, int QoS, int PerWrite);

    static readonly Setup[] Setups =
    [
        new("100 to 1, QoS 0, 50 a write", 100, 10_000, 0, 50),
        new("100 to 1, QoS 0, 1 a write", 100, 3_000, 0, 1),
        new("100 to 1, QoS 1, 50 in flight", 100, 3_000, 1, 50),
        new("1 to 1, QoS 1, 1 in flight", 1, 5_000, 1, 1),
    ];

    public static async Task Run()
    {
        await using var ours = await Platform.Start();
        await ours.MakeUser();
        await using var theirs = await Mosquitto.Start();
        Console.WriteLine($"{"",-32}{"althing/s",12}{"mosquitto/s",13}{"ratio",8}{"CPU s/M",10}{"CPU s/M",10}{"lost",8}{"lost",8}");
        foreach (var setup in Setups)
        {
            List<Outcome> mine = [], others = [];
            await One(ours, setup with { Messages = setup.Messages / 5 / setup.PerWrite * setup.PerWrite });
            for (var run = 0; run < Runs; run++)
            {
                mine.Add(await One(ours, setup));
                others.Add(await One(theirs, setup));
            }
            var (a, b) = (Load.Median(mine.Select(o => o.PerSecond)), Load.Median(others.Select(o => o.PerSecond)));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{setup.Name,-32}{a,12:0}{b,13:0}{a / b,8:0.00}{Load.Median(mine.Select(o => o.CpuPerMillion)),10:0.00}{Load.Median(others.Select(o => o.CpuPerMillion)),10:0.00}{mine.Sum(o => o.Lost),8}{others.Sum(o => o.Lost),8}"));
        }
    }

    static Task<Outcome> One(Server server, Setup setup) => Load.FanIn(server, setup.Publishers, setup.Messages, setup.QoS, setup.PerWrite);
}
