using System.Globalization;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Althing.Tests.Clients;

/// <summary>What must never be written down is not, neither in the platform's log nor in its audit log.</summary>
public sealed class SecrecyTests
{
    [Theory]
    [InlineData]
    [InlineData("--json-logs")]
    public async Task Nothing_secret_reaches_the_logs(params string[] options)
    {
        Tool.Need("aws", "mosquitto_pub");
        await using var house = await House.Up([.. options, "--mqtt", "0"]);
        List<string> secrets = [SecretOf(house), File.ReadAllText(Path.Combine(house.Data, "master.key")).Trim()];

        var made = await house.Aws("iot", "create-keys-and-certificate", "--set-as-active");
        secrets.Add(((string)made["keyPair"]!["PrivateKey"]!).Split('\n')[3]);
        await house.Aws("iam", "create-user", "--user-name", "robot");
        secrets.Add((string)(await house.Aws("iam", "create-access-key", "--user-name", "robot"))["AccessKey"]!["SecretAccessKey"]!);
        var session = (await house.Aws("sts", "get-session-token"))["Credentials"]!;
        secrets.AddRange([(string)session["SecretAccessKey"]!, (string)session["SessionToken"]!]);
        var account = await AlthingProgram.Run("account", "create", "111122223333", "--data", house.Data);
        Assert.Equal(0, account.ExitCode);
        secrets.Add(File.ReadAllLines(Path.Combine(house.Data, "credentials")).Last(l => l.StartsWith("aws_secret", StringComparison.Ordinal)).Split('=', 2)[1].Trim());

        // Refusals are logged, too, and with less thought.
        foreach (var given in new[] { "a-guess-at-a-password", "another-guess-at-it" })
        {
            secrets.Add(given);
            await house.TryRun("mosquitto_pub", "-h", "localhost", "-p", house.MqttPort!.Value.ToString(CultureInfo.InvariantCulture), "-i", "x", "-t", "t", "-m", "x", "-u", "robot", "-P", given);
            using var http = new HttpClient();
            using var form = new FormUrlEncodedContent([new("password", given)]);
            await http.PostAsync(new Uri(house.Endpoint, "/console/sign-in"), form);
            await house.Call(HttpMethod.Post, "/certificate/register-no-ca", new { certificatePem = $"-----BEGIN PRIVATE KEY-----\n{given}\n-----END PRIVATE KEY-----", privateKey = given, password = given });
        }
        // The payload is the owner's alone.
        secrets.Add("message-of-a-private-nature");
        await house.Call(HttpMethod.Post, "/topics/t?qos=1", new { text = secrets[^1] }, "iotdata");

        var shownOnce = house.Output.Split('\n').Single(l => l.Contains("Console password", StringComparison.Ordinal));
        Assert.Equal(0, await house.Stop());
        var logs = house.Output.Replace(shownOnce, "", StringComparison.Ordinal) + await File.ReadAllTextAsync(Path.Combine(house.Data, "audit.jsonl"));
        Assert.Contains("CreateAccessKey", logs, StringComparison.Ordinal);
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, logs, StringComparison.Ordinal));
        Assert.DoesNotContain(house.ConsolePassword, logs, StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE KEY", logs, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clients_name_cannot_write_lines_into_the_log()
    {
        await using var house = await House.Up("--mqtt", "0");
        var lines = house.Output.Split('\n').Length;
        // CONNECT of MQTT 3.1.1 as its section 3.1 has it; mosquitto's clients would not send such a name.
        var id = "x\nfail: Althing: everything is \u001b[31mlost"u8;
        byte[] connect = [0x10, (byte)(12 + id.Length), 0, 4, (byte)'M', (byte)'Q', (byte)'T', (byte)'T', 4, 2, 0, 60, 0, (byte)id.Length, .. id];
        using (var socket = new TcpClient("127.0.0.1", house.MqttPort!.Value))
        {
            await socket.GetStream().WriteAsync(connect);
            await socket.GetStream().CopyToAsync(Stream.Null);
        }
        Assert.Equal(0, await house.Stop());
        var written = house.Output.Split('\n')[(lines - 1)..];
        Assert.Contains(written, l => l.Contains("everything is", StringComparison.Ordinal));
        Assert.DoesNotContain(written, l => l.StartsWith("fail: Althing: everything", StringComparison.Ordinal));
        Assert.DoesNotContain('\u001b', string.Concat(written));
    }

    static string SecretOf(House house) =>
        File.ReadAllLines(Path.Combine(house.Data, "credentials")).First(l => l.StartsWith("aws_secret", StringComparison.Ordinal)).Split('=', 2)[1].Trim();
}
