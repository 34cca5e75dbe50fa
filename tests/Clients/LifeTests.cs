using System.Globalization;

namespace Althing.Tests.Clients;

/// <summary>Starting, stopping, being killed.</summary>
public class LifeTests
{
    [Fact]
    public async Task The_first_start_makes_private_files_and_the_second_finds_them()
    {
        await using var house = await House.Up("--account", "123456789012");
        string[] secrets = ["credentials", "ca.key", "server.key", "master.key", "console-password", "console-password.hash"];
        foreach (var name in secrets)
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(house.Data, name)));
        Assert.Equal(20, house.ConsolePassword.Length);
        var before = secrets.Select(n => File.ReadAllText(Path.Combine(house.Data, n))).ToList();
        Assert.Equal(0, await house.Stop());
        await house.Start();
        Assert.Equal(before, secrets.Select(n => File.ReadAllText(Path.Combine(house.Data, n))));
        Assert.DoesNotContain(File.ReadAllText(Path.Combine(house.Data, "console-password")).Trim(), house.Output, StringComparison.Ordinal);
        Assert.Equal(0, await house.Stop());
        var other = await AlthingProgram.Run("up", "--data", house.Data, "--account", "999999999999", "--http", "0", "--https", "0", "--mqtts", "0");
        Assert.Equal(1, other.ExitCode);
        Assert.Contains("belongs to account 123456789012", other.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_process_on_the_same_folder_is_refused()
    {
        await using var house = await House.Up();
        var second = await AlthingProgram.Run("up", "--data", house.Data, "--http", "0", "--https", "0", "--mqtts", "0");
        Assert.Equal(1, second.ExitCode);
        Assert.Contains("is in use by another process", second.Output, StringComparison.Ordinal);
        Assert.Equal(200, (await house.Call(HttpMethod.Get, "/policies")).Status);
    }

    [Fact]
    public async Task Little_memory_and_little_work_make_it_ready()
    {
        await using var house = await House.Up();
        // Work, not time: how long it takes depends on what else the machine does.
        house.Process.Refresh();
        Assert.InRange(house.Process.TotalProcessorTime, TimeSpan.Zero, TimeSpan.FromSeconds(6));
        for (var i = 0; i < 200; i++)
            Assert.Equal(200, (await house.Call(HttpMethod.Post, $"/things/thing-{i.ToString(CultureInfo.InvariantCulture)}", new { })).Status);
        house.Process.Refresh();
        Assert.InRange(house.Process.WorkingSet64 >> 20, 1, 250);
    }

    [Theory]
    [InlineData("what 'up --porridge 1'", "up", "--porridge", "1")]
    [InlineData("a port out of range", "up", "--http", "99999")]
    [InlineData("an account that is none", "up", "--account", "12")]
    [InlineData("an unknown command", "fly")]
    [InlineData("a value that is missing", "up", "--data")]
    public async Task A_command_line_that_makes_no_sense_is_explained(string what, params string[] arguments)
    {
        var ran = await AlthingProgram.Run(arguments);
        Assert.True(ran.ExitCode == 2, $"{what}: {ran}");
        Assert.StartsWith("althing: ", ran.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", ran.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_acknowledged_is_lost_in_fifty_kills_during_mixed_writes()
    {
        const int Kills = 50;
        await using var house = await House.Up();
        var random = new Random(11);
        var acknowledged = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var kill = 0; kill < Kills; kill++)
        {
            using var stop = new CancellationTokenSource();
            var writers = Enumerable.Range(0, 4).Select(w => Write(house, acknowledged, $"k{kill}w{w}", stop.Token)).ToList();
            // Anywhere in the work, but not before there is any.
            var before = Count(acknowledged);
            while (Count(acknowledged) == before)
                await Task.Delay(1);
            await Task.Delay(random.Next(0, 150));
            await house.Kill();
            await stop.CancelAsync();
            await Task.WhenAll(writers);
            await house.Start();
            if (kill % 10 == 9 || kill == Kills - 1)
                await Check(house, acknowledged);
        }
        Assert.True(acknowledged.Count >= Kills);
        Assert.Equal(Kills, house.Kills);
    }

    /// <summary>Makes policies and new versions of them; notes the number of versions that were acknowledged, and -1 when unknown.</summary>
    static async Task Write(House house, Dictionary<string, int> acknowledged, string prefix, CancellationToken stop)
    {
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var name = $"{prefix}-{i.ToString(CultureInfo.InvariantCulture)}";
            try
            {
                var document = new { policyDocument = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}]}""" };
                if ((await house.Call(HttpMethod.Post, "/policies/" + name, document)).Status != 200)
                    return;
                Note(acknowledged, name, 1);
                if ((await house.Call(HttpMethod.Post, $"/policies/{name}/version?setAsDefault=true", document)).Status != 200)
                    return;
                Note(acknowledged, name, 2);
            }
            catch (HttpRequestException)
            {
                return;
            }
        }
    }

    static void Note(Dictionary<string, int> acknowledged, string name, int versions)
    {
        lock (acknowledged)
            acknowledged[name] = versions;
    }

    static int Count(Dictionary<string, int> acknowledged)
    {
        lock (acknowledged)
            return acknowledged.Count;
    }

    static async Task Check(House house, Dictionary<string, int> acknowledged)
    {
        foreach (var (name, versions) in acknowledged)
        {
            var (status, policy) = await house.Call(HttpMethod.Get, "/policies/" + name);
            Assert.True(status == 200, $"{name}, which was acknowledged, answers {status}.");
            var (_, listed) = await house.Call(HttpMethod.Get, $"/policies/{name}/version");
            var found = listed["policyVersions"]!.AsArray();
            Assert.True(found.Count >= versions, $"{name} has {found.Count} versions; {versions} were acknowledged.");
            // Whole or not at all: the default version is one of those there are.
            Assert.Contains((string?)policy["defaultVersionId"], found.Select(v => (string?)v!["versionId"]));
        }
    }
}
