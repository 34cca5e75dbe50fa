using System.Globalization;

namespace Althing.Bench;

/// <summary>From the process's start to ready, on an empty folder.</summary>
static class Startup
{
    public static async Task Run()
    {
        List<double> times = [], memory = [];
        for (var i = 0; i < 5; i++)
        {
            await using var platform = await Platform.Start();
            times.Add(platform.Ready.TotalSeconds);
            memory.Add(platform.ResidentBytes / 1048576.0);
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ready after {Load.Median(times):0.00} s (median of 5), {Load.Median(memory):0} MB resident"));
    }
}
