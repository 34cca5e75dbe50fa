using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Althing.Api.SigV4;

namespace Althing.Bench;

/// <summary>A server under measurement: a process of its own, with a port for plain MQTT.</summary>
abstract class Server : IAsyncDisposable
{
    readonly Process process;
    readonly DirectoryInfo folder;

    protected Server(Process process, DirectoryInfo folder) => (this.process, this.folder) = (process, folder);

    public abstract string Name { get; }
    public int Port { get; protected set; }

    /// <summary>The port for MQTT over TLS with client certificates; 0 for none.</summary>
    public int TlsPort { get; protected set; }
    public string? User { get; protected init; }
    public string? Password { get; protected init; }

    public int ProcessId => process.Id;

    public TimeSpan Cpu
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    public long ResidentBytes
    {
        get
        {
            process.Refresh();
            return process.WorkingSet64;
        }
    }

    protected static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        folder.Delete(recursive: true);
    }
}

/// <summary>Debian's mosquitto, without limits on what waits and without delay.</summary>
sealed class Mosquitto : Server
{
    Mosquitto(Process process, DirectoryInfo folder, int port) : base(process, folder) => Port = port;

    public override string Name => "mosquitto";

    public static async Task<Mosquitto> Start(TlsFiles? tls = null)
    {
        var folder = Directory.CreateTempSubdirectory("bench-mosquitto-");
        var port = FreePort();
        var tlsPort = tls is null ? 0 : FreePort();
        var config = Path.Combine(folder.FullName, "mosquitto.conf");
        var secure = tls is null ? "" : $"listener {tlsPort} 127.0.0.1\ncafile {tls.Ca}\ncertfile {tls.Certificate}\nkeyfile {tls.Key}\nrequire_certificate true\n";
        await File.WriteAllTextAsync(config, $"user root\nlog_dest none\nmax_inflight_messages 0\nmax_queued_messages 0\nset_tcp_nodelay true\npersistence false\nallow_anonymous true\nlistener {port} 127.0.0.1\n{secure}");
        var program = File.Exists("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto";
        var process = Process.Start(new ProcessStartInfo(program, ["-c", config]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        await Load.WaitForPort(port);
        return new(process, folder, port) { TlsPort = tlsPort };
    }
}

/// <summary>Where the certificate and the key of a server lie, and the CA's that clients' certificates come from.</summary>
sealed record TlsFiles(string Ca, string Certificate, string Key);

/// <summary>Debian's nats-server with its MQTT gateway; JetStream keeps its sessions on disk.</summary>
sealed class Nats : Server
{
    const string Program = "/usr/sbin/nats-server";

    Nats(Process process, DirectoryInfo folder, int port) : base(process, folder) => Port = port;

    public override string Name => "nats";

    /// <summary>Null when it is not installed.</summary>
    public static async Task<Nats?> TryStart(TlsFiles? tls = null)
    {
        if (!File.Exists(Program))
            return null;
        var folder = Directory.CreateTempSubdirectory("bench-nats-");
        var port = FreePort();
        var config = Path.Combine(folder.FullName, "nats.conf");
        var secure = tls is null ? "" : $$""", tls { cert_file: "{{tls.Certificate}}", key_file: "{{tls.Key}}", ca_file: "{{tls.Ca}}", verify: true, timeout: 60 }""";
        await File.WriteAllTextAsync(config, $$"""
            listen: "127.0.0.1:{{FreePort()}}"
            server_name: bench
            max_pending: 1GB
            jetstream { store_dir: "{{folder.FullName}}" }
            mqtt { listen: "127.0.0.1:{{port}}", max_ack_pending: 65535 {{secure}} }
            """);
        var process = Process.Start(new ProcessStartInfo(Program, ["-c", config]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _ = process.StandardError.ReadToEndAsync();
        await Load.WaitForPort(port);
        return new(process, folder, port) { TlsPort = tls is null ? 0 : port };
    }
}

/// <summary>The platform, with a named client that its policies allow what the benchmark does.</summary>
sealed partial class Platform : Server
{
    readonly string data;
    readonly HttpClient http = new();

    Platform(Process process, DirectoryInfo folder, string data) : base(process, folder) => this.data = data;

    public override string Name => "althing";
    public int HttpPort { get; private set; }
    public string Data => data;

    /// <summary>From the start of the process to its word that it is ready.</summary>
    public TimeSpan Ready { get; private set; }

    static string Program => Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "Host", Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/')), "althing.dll"));

    /// <param name="existing">Data to start on; without it, new data that goes when the process does.</param>
    public static async Task<Platform> Start(string? existing = null, params string[] options)
    {
        var folder = Directory.CreateTempSubdirectory("bench-althing-");
        var data = existing ?? Path.Combine(folder.FullName, "data");
        var start = new ProcessStartInfo("dotnet", [Program, "up", "--data", data, "--http", "0", "--https", "0", "--mqtts", "0", "--mqtt", "0", .. options]) { RedirectStandardOutput = true };
        var clock = Stopwatch.StartNew();
        var process = Process.Start(start)!;
        var platform = new Platform(process, folder, data) { User = "bench", Password = "bench-password" };
        while (await process.StandardOutput.ReadLineAsync() is { } line && !line.StartsWith("Ctrl-C", StringComparison.Ordinal))
            platform.Read(line);
        platform.Ready = clock.Elapsed;
        _ = process.StandardOutput.ReadToEndAsync();
        return platform;
    }

    void Read(string line)
    {
        if (PortLine().Match(line) is not { Success: true } match)
            return;
        var port = int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
        switch (match.Groups[1].Value)
        {
            case "Console and APIs": HttpPort = port; break;
            case "MQTT over TLS": TlsPort = port; break;
            case "MQTT, plain": Port = port; break;
        }
    }

    /// <summary>Makes the named client by the command line, as an administrator does.</summary>
    public async Task MakeUser()
    {
        await Call("POST", "/policies/bench", new { policyDocument = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iot:Connect","iot:Publish","iot:Subscribe","iot:Receive"],"Resource":"*"}]}""" });
        var start = new ProcessStartInfo("dotnet", [Program, "mqtt-user", "add", User!, "--policy-name", "bench", "--password-stdin", "--data", data]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteLineAsync(Password);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"althing mqtt-user add ended with {process.ExitCode}.");
    }

    /// <summary>A signed call; anything but success is an exception.</summary>
    public async Task<JsonNode> Call(string method, string path, object? body = null, string? principal = null)
    {
        var answer = await Send(method, path, body is null ? [] : JsonSerializer.SerializeToUtf8Bytes(body), "iot", request =>
        {
            if (principal is not null)
                request.Headers.TryAddWithoutValidation("x-amzn-principal", principal);
        });
        return answer.Length > 0 ? JsonNode.Parse(answer)! : new JsonObject();
    }

    /// <summary>A signed call of an AWS Query API.</summary>
    public async Task Query(string service, Dictionary<string, string> members)
    {
        using var form = new FormUrlEncodedContent(members);
        await Send("POST", "/", await form.ReadAsByteArrayAsync(), service, request => request.Content!.Headers.ContentType = new("application/x-www-form-urlencoded"));
    }

    /// <summary>A signed request of any service; answers the body.</summary>
    public async Task<byte[]> Send(string method, string path, byte[] body, string service, Action<HttpRequestMessage>? change = null)
    {
        using var request = Request(method, path, body, service, change);
        using var response = await http.SendAsync(request);
        var answer = await response.Content.ReadAsByteArrayAsync();
        return response.IsSuccessStatusCode ? answer
            : throw new InvalidOperationException($"{method} {path} answered {(int)response.StatusCode}: {System.Text.Encoding.UTF8.GetString(answer)}");
    }

    /// <summary>The body of a signed GET, as it comes.</summary>
    public async Task<Stream> Open(string path, string service)
    {
        using var request = Request("GET", path, [], service, null);
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync();
    }

    HttpRequestMessage Request(string method, string path, byte[] body, string service, Action<HttpRequestMessage>? change)
    {
        credentials ??= File.ReadAllLines(Path.Combine(data, "credentials"));
        string Value(string name) => credentials.First(l => l.StartsWith(name, StringComparison.Ordinal)).Split('=', 2)[1].Trim();
        var request = new HttpRequestMessage(new(method), $"http://127.0.0.1:{HttpPort}{path}");
        if (body.Length > 0)
            request.Content = new ByteArrayContent(body);
        change?.Invoke(request);
        new SigV4Signer(Value("aws_access_key_id"), new(Value("aws_secret_access_key")), "us-east-1", service, TimeProvider.System).Sign(request, body);
        return request;
    }

    string[]? credentials;

    [GeneratedRegex(@"^  (Console and APIs|MQTT over TLS|MQTT, plain) .*?:(\d+)\b")]
    private static partial Regex PortLine();
}
