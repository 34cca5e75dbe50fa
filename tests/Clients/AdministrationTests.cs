using System.Globalization;

namespace Althing.Tests.Clients;

/// <summary>The commands beside <c>up</c>, while the platform runs and while it does not.</summary>
public sealed class AdministrationTests
{
    const string Everything = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}""";

    static async Task<string> Done(House house, params string[] arguments)
    {
        var ran = await AlthingProgram.Run([.. arguments, "--data", house.Data]);
        Assert.True(ran.ExitCode == 0, $"{string.Join(' ', arguments)}: {ran.Output}\nThe platform said:\n{house.Output}");
        return ran.Output;
    }

    static string[] Plain(House house, string clientId) =>
        ["-h", "localhost", "-p", house.MqttPort!.Value.ToString(CultureInfo.InvariantCulture), "-i", clientId, "-t", "t", "-m", "x", "-q", "1"];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Keys_and_accounts_are_managed_whether_the_platform_runs_or_not(bool running)
    {
        await using var house = await House.Up();
        if (!running)
            Assert.Equal(0, await house.Stop());
        var policy = Path.Combine(house.Folder, "policy.json");
        await File.WriteAllTextAsync(policy, Everything);
        var made = await Done(house, "key", "create", "robot", "--policy", policy);
        var id = made.Split('\n').Single(l => l.StartsWith("aws_access_key_id", StringComparison.Ordinal)).Split('=')[1].Trim();
        Assert.Contains(id, await Done(house, "key", "list"), StringComparison.Ordinal);
        Assert.Contains(id, await Done(house, "key", "revoke", id), StringComparison.Ordinal);
        Assert.DoesNotContain(id, await Done(house, "key", "list"), StringComparison.Ordinal);
        await Done(house, "account", "create", "111122223333");
        Assert.Contains("111122223333", await Done(house, "account", "list"), StringComparison.Ordinal);
        // The new account's administrator has a profile of its own, which the commands use.
        Assert.Contains("admin", await Done(house, "key", "list", "--account", "111122223333"), StringComparison.Ordinal);
        var again = await AlthingProgram.Run("account", "create", "111122223333", "--data", house.Data);
        Assert.Equal(1, again.ExitCode);
        Assert.StartsWith("althing: There is an account", again.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_user_of_the_plain_listener_comes_and_goes(bool running)
    {
        Tool.Need("mosquitto_pub");
        await using var house = await House.Up("--mqtt", "0");
        Assert.NotEqual(0, (await house.TryRun("mosquitto_pub", Plain(house, "one"))).ExitCode);
        if (!running)
            Assert.Equal(0, await house.Stop());
        var policy = Path.Combine(house.Folder, "policy.json");
        await File.WriteAllTextAsync(policy, Everything);
        var password = (await Done(house, "mqtt-user", "add", "robot", "--policy", policy, "--client-id", "robot-*")).Split('\n')[0].Trim();
        Assert.Contains("robot-*", await Done(house, "mqtt-user", "list"), StringComparison.Ordinal);
        if (!running)
            await house.Start();
        await house.Run("mosquitto_pub", [.. Plain(house, "robot-1"), "-u", "robot", "-P", password]);
        Assert.NotEqual(0, (await house.TryRun("mosquitto_pub", [.. Plain(house, "other"), "-u", "robot", "-P", password])).ExitCode);
        Assert.NotEqual(0, (await house.TryRun("mosquitto_pub", [.. Plain(house, "robot-1"), "-u", "robot", "-P", "something else"])).ExitCode);
        await Done(house, "mqtt-user", "remove", "robot");
        Assert.NotEqual(0, (await house.TryRun("mosquitto_pub", [.. Plain(house, "robot-1"), "-u", "robot", "-P", password])).ExitCode);
        Assert.DoesNotContain(password, house.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(password, await File.ReadAllTextAsync(Path.Combine(house.Data, "audit.jsonl")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nameless_clients_are_let_in_only_on_the_plain_listener_and_only_when_told_so()
    {
        Tool.Need("mosquitto_pub");
        await using var house = await House.Up("--mqtt", "0", "--anonymous");
        Assert.Contains("ANYBODY ON THIS MACHINE", house.Output, StringComparison.Ordinal);
        await house.Run("mosquitto_pub", Plain(house, "nobody"));
        Assert.NotEqual(0, (await house.TryRun("mosquitto_pub", [.. Plain(house, "robot"), "-u", "robot", "-P", "a wrong password"])).ExitCode);
        // Over TLS a client without a certificate is nobody still.
        string[] tls = ["-h", "localhost", "-p", house.MqttsPort.ToString(CultureInfo.InvariantCulture), "--cafile", Path.Combine(house.Data, "ca.pem"), "-i", "nobody", "-t", "t", "-m", "x", "-q", "1"];
        Assert.NotEqual(0, (await house.TryRun("mosquitto_pub", tls)).ExitCode);
    }

    [Theory]
    [InlineData("key")]
    [InlineData("key", "make", "it")]
    [InlineData("key", "create", "a", "b")]
    [InlineData("account", "create", "12")]
    [InlineData("mqtt-user", "add", "robot")]
    [InlineData("mqtt-user", "add", "robot", "--porridge", "x")]
    [InlineData("up", "--anonymous")]
    public async Task Misused_commands_are_explained(params string[] arguments)
    {
        var ran = await AlthingProgram.Run(arguments);
        Assert.Equal(2, ran.ExitCode);
        Assert.StartsWith("althing: ", ran.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_of_a_running_platform_brings_it_back()
    {
        await using var house = await House.Up();
        Assert.Equal(200, (await house.Call(HttpMethod.Post, "/things/before", new { })).Status);
        var file = Path.Combine(house.Folder, "backup");
        await Done(house, "backup", file);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal(200, (await house.Call(HttpMethod.Post, "/things/after", new { })).Status);
        var refused = await AlthingProgram.Run("restore", file, "--data", house.Data);
        Assert.Equal(1, refused.ExitCode);
        Assert.Equal(0, await house.Stop());
        Directory.Delete(house.Data, recursive: true);
        await Done(house, "restore", file);
        await house.Start();
        // With the key of before, too.
        Assert.Equal(200, (await house.Call(HttpMethod.Get, "/things/before")).Status);
        Assert.Equal(404, (await house.Call(HttpMethod.Get, "/things/after")).Status);
    }

    [Fact]
    public async Task A_folder_without_a_platform_is_left_alone()
    {
        var folder = Directory.CreateTempSubdirectory("althing-empty-");
        try
        {
            var ran = await AlthingProgram.Run("key", "list", "--data", folder.FullName);
            Assert.Equal(1, ran.ExitCode);
            Assert.Contains("There is no platform in", ran.Output, StringComparison.Ordinal);
            Assert.Empty(folder.GetFileSystemInfos());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Health_tells_of_storage_and_broker_and_metrics_stay_on_the_machine()
    {
        await using var house = await House.Up();
        using var http = new HttpClient(new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, _, _, _) => true });
        var ready = await http.GetStringAsync(new Uri(house.Endpoint, "/healthz/ready"));
        Assert.Equal("""{"broker":"ok","storage":"ok"}""", ready);
        Assert.Contains("althing_", await http.GetStringAsync(new Uri(house.Endpoint, "/metrics")), StringComparison.Ordinal);
        foreach (var path in new[] { "metrics", "METRICS", "metrics/" })
            Assert.Equal(System.Net.HttpStatusCode.NotFound, (await http.GetAsync(new Uri($"https://localhost:{house.HttpsPort}/{path}"))).StatusCode);
    }
}
