using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Althing.Api.SigV4;
using Althing.Identity;

namespace Althing.Tests;

/// <summary>The whole platform as a user runs it: a process of its own, on free ports, with a data folder that goes with the test.</summary>
sealed partial class House : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    static readonly HttpClient Http = new();

    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("althing-house-");
    readonly string[] options;
    readonly string[] through;
    readonly StringBuilder output = new();
    Process? process;

    House(string[] options, params string[] through) => (this.options, this.through) = (options, through);

    public static async Task<House> Up(params string[] options)
    {
        var house = new House(options);
        await house.Start();
        return house;
    }

    /// <summary>A platform that has another one's master key, as a node of the same cluster must.</summary>
    public static Task<House> Beside(House other, params string[] options) => Beside(other, [], options);

    /// <param name="through">A command that runs the platform, its own command line behind it.</param>
    public static async Task<House> Beside(House other, string[] through, string[] options)
    {
        var house = new House(options, through);
        Directory.CreateDirectory(house.Data);
        File.Copy(Path.Combine(other.Data, MasterKey.FileName), Path.Combine(house.Data, MasterKey.FileName));
        await house.Start();
        return house;
    }

    public string Data => Path.Combine(folder.FullName, "data");
    public string Folder => folder.FullName;
    public int HttpPort { get; private set; }
    public int HttpsPort { get; private set; }
    public int MqttsPort { get; private set; }
    public int? MqttPort { get; private set; }
    public string ConsolePassword { get; private set; } = "";
    public Uri Endpoint => new($"http://localhost:{HttpPort}");
    public Process Process => process!;

    public string Output
    {
        get
        {
            lock (output)
                return output.ToString();
        }
    }

    /// <summary>Starts the platform on the same folder and waits until it says that it is ready.</summary>
    public async Task Start()
    {
        lock (output)
            output.Clear();
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process = AlthingProgram.Start(["up", "--data", Data, "--http", "0", "--https", "0", "--mqtts", "0", .. options], through, line =>
        {
            lock (output)
                output.AppendLine(line);
            Read(line);
            if (line.StartsWith("Ctrl-C", StringComparison.Ordinal))
                ready.TrySetResult();
        });
        process.Exited += (_, _) => ready.TrySetException(new InvalidOperationException($"The platform ended before it was ready:\n{Output}"));
        process.EnableRaisingEvents = true;
        await ready.Task.WaitAsync(Patience);
    }

    void Read(string line)
    {
        if (PortLine().Match(line) is { Success: true } port)
        {
            var number = int.Parse(port.Groups[2].Value, CultureInfo.InvariantCulture);
            switch (port.Groups[1].Value)
            {
                case "Console and APIs": HttpPort = number; break;
                case "APIs and HTTPS": HttpsPort = number; break;
                case "MQTT over TLS": MqttsPort = number; break;
                case "MQTT, plain": MqttPort = number; break;
            }
        }
        if (PasswordLine().Match(line) is { Success: true } password)
            ConsolePassword = password.Groups[1].Value;
    }

    /// <summary>Ends the process at once, as a power cut does to it.</summary>
    public async Task Kill()
    {
        process!.EnableRaisingEvents = false;
        process.Kill();
        await process.WaitForExitAsync();
        // 128 and the signal's number: it did not end by itself before.
        if (process.ExitCode == 128 + 9)
            Kills++;
    }

    /// <summary>How often <see cref="Kill"/> ended a living process.</summary>
    public int Kills { get; private set; }

    /// <summary>Sends the process a signal.</summary>
    public void Signal(string name)
    {
        using var signal = Process.Start("kill", ["-" + name, process!.Id.ToString(CultureInfo.InvariantCulture)]);
        signal.WaitForExit();
    }

    /// <summary>Waits until the process has ended by itself and answers its exit code.</summary>
    public async Task<int> Ended()
    {
        process!.EnableRaisingEvents = false;
        await process.WaitForExitAsync().WaitAsync(Patience);
        return process.ExitCode;
    }

    /// <summary>Tells the process to stop and answers its exit code.</summary>
    public async Task<int> Stop()
    {
        process!.EnableRaisingEvents = false;
        using var signal = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await process.WaitForExitAsync().WaitAsync(Patience);
        return process.ExitCode;
    }

    /// <summary>Runs a command line tool in the house's folder, pointed at the platform by the usual variables.</summary>
    public Task<Ran> Run(string tool, params string[] arguments) => Run(tool, arguments, expectSuccess: true);

    public Task<Ran> TryRun(string tool, params string[] arguments) => Run(tool, arguments, expectSuccess: false);

    async Task<Ran> Run(string tool, string[] arguments, bool expectSuccess)
    {
        var start = new ProcessStartInfo(tool, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder.FullName };
        foreach (var (name, value) in Environment())
            start.Environment[name] = value;
        using var running = Process.Start(start)!;
        var (stdout, stderr) = (running.StandardOutput.ReadToEndAsync(), running.StandardError.ReadToEndAsync());
        try
        {
            await running.WaitForExitAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            running.Kill(entireProcessTree: true);
        }
        var ran = new Ran(running.HasExited ? running.ExitCode : -1, await stdout, await stderr);
        if (expectSuccess)
            Assert.True(ran.ExitCode == 0, $"{tool} {string.Join(' ', arguments)} ended with {ran.ExitCode}:\n{ran.Output}\n{ran.Error}\nThe platform said:\n{Output}");
        return ran;
    }

    public IReadOnlyDictionary<string, string> Environment() => new Dictionary<string, string>
    {
        ["AWS_SHARED_CREDENTIALS_FILE"] = Path.Combine(Data, "credentials"),
        ["AWS_CONFIG_FILE"] = Path.Combine(Folder, "no-config"),
        ["AWS_DEFAULT_REGION"] = "eu-west-1",
        ["AWS_ENDPOINT_URL"] = Endpoint.ToString().TrimEnd('/'),
        ["AWS_EC2_METADATA_DISABLED"] = "true",
        ["AWS_PAGER"] = "",
    };

    /// <summary>Runs <c>aws --endpoint-url … ARGUMENTS</c> and answers its JSON; an empty object when it prints none.</summary>
    public async Task<JsonNode> Aws(params string[] arguments)
    {
        var ran = await Run("aws", ["--endpoint-url", Endpoint.ToString(), "--output", "json", .. arguments]);
        return ran.Output.Length > 0 ? JsonNode.Parse(ran.Output)! : new JsonObject();
    }

    /// <summary>A signed call over HTTP without any tool, for tests that make many. Bytes go as they are, anything else as JSON.</summary>
    public async Task<(int Status, JsonNode Body)> Call(HttpMethod method, string path, object? body = null, string service = "iot")
    {
        var credentials = File.ReadAllLines(Path.Combine(Data, "credentials"));
        string Value(string name) => credentials.First(l => l.StartsWith(name, StringComparison.Ordinal)).Split('=', 2)[1].Trim();
        var bytes = body switch { null => [], byte[] given => given, _ => JsonSerializer.SerializeToUtf8Bytes(body) };
        using var request = new HttpRequestMessage(method, new Uri(Endpoint, path));
        if (bytes.Length > 0)
            request.Content = new ByteArrayContent(bytes);
        new SigV4Signer(Value("aws_access_key_id"), new(Value("aws_secret_access_key")), "eu-west-1", service, TimeProvider.System).Sign(request, bytes);
        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text.Length > 0 ? JsonNode.Parse(text)! : new JsonObject());
    }

    /// <summary>An active certificate with its key on files, allowed to do everything.</summary>
    public async Task<DeviceFiles> Device(string name, string policy = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}""")
    {
        var (made, certificate) = await Call(HttpMethod.Post, "/keys-and-certificate?setAsActive=true", new { });
        Assert.Equal(200, made);
        var arn = (string)certificate["certificateArn"]!;
        Assert.Equal(200, (await Call(HttpMethod.Post, "/policies/policy-of-" + name, new { policyDocument = policy })).Status);
        Assert.Equal(200, (await Call(HttpMethod.Put, "/target-policies/policy-of-" + name, new { target = arn })).Status);
        var files = new DeviceFiles(Path.Combine(Folder, name + ".pem"), Path.Combine(Folder, name + ".key"), arn);
        await File.WriteAllTextAsync(files.Certificate, (string)certificate["certificatePem"]!);
        await File.WriteAllTextAsync(files.Key, (string)certificate["keyPair"]!["PrivateKey"]!);
        return files;
    }

    /// <summary>The options that mosquitto's clients need to be this device.</summary>
    public string[] Mosquitto(DeviceFiles device, string clientId) =>
        ["-h", "localhost", "-p", MqttsPort.ToString(CultureInfo.InvariantCulture), "--cafile", Path.Combine(Data, "ca.pem"), "--cert", device.Certificate, "--key", device.Key, "-i", clientId];

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
            await Kill();
        process?.Dispose();
        folder.Delete(recursive: true);
    }

    [GeneratedRegex(@"^  (Console and APIs|APIs and HTTPS|MQTT over TLS|MQTT, plain) .*?:(\d+)\b")]
    private static partial Regex PortLine();

    [GeneratedRegex(@"^  Console password +(\S+) +\(shown this once")]
    private static partial Regex PasswordLine();
}

/// <summary>How a tool ended and what it printed.</summary>
sealed record Ran(int ExitCode, string Output, string Error);

/// <summary>A device's files and its certificate's ARN.</summary>
sealed record DeviceFiles(string Certificate, string Key, string Arn);

/// <summary>The program as built.</summary>
static class AlthingProgram
{
    /// <summary>The program beside the tests, built in the same configuration.</summary>
    public static string Path { get; } = System.IO.Path.GetFullPath(System.IO.Path.Combine(AppContext.BaseDirectory, "..", "..", "Host", System.IO.Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/')), "althing.dll"));

    public static Process Start(IEnumerable<string> arguments, Action<string> line) => Start(arguments, [], line);

    /// <param name="through">A command that runs the program, whose command line comes behind it.</param>
    public static Process Start(IEnumerable<string> arguments, string[] through, Action<string> line)
    {
        string[] command = [.. through, "dotnet", Path, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("ALTHING_ACCESS_KEY_ID");
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, e) => line(e.Data ?? "");
        process.ErrorDataReceived += (_, e) => line(e.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>Runs the program to its end and answers what it printed.</summary>
    public static async Task<Ran> Run(params string[] arguments)
    {
        var text = new StringBuilder();
        using var process = Start(arguments, l =>
        {
            lock (text)
                text.AppendLine(l);
        });
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        process.WaitForExit();
        lock (text)
            return new(process.ExitCode, text.ToString(), "");
    }
}

/// <summary>Real programs that not every machine has.</summary>
static class Tool
{
    /// <summary>Skips the test, saying so, when the machine lacks one of these.</summary>
    public static void Need(params string[] tools)
    {
        foreach (var tool in tools)
        {
            Assert.SkipUnless(Find(tool) is not null, $"'{tool}' is not installed.");
        }
    }

    /// <summary>Where a program lies; null when it is not installed.</summary>
    public static string? Find(string tool) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(p => Path.Combine(p, tool)).FirstOrDefault(File.Exists);
}
