using System.Diagnostics;
using System.Globalization;
using Althing.Broker;
using Althing.Cluster;
using Althing.Identity;
using Althing.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Host.Verbs;

/// <summary><c>althing up</c>: the platform, until it is told to stop.</summary>
sealed class Up : Verb
{
    public override string Name => "up";
    public override string Summary => "Run the platform";
    public override IReadOnlyList<Option> Options =>
    [
        DataFolder.Option,
        new("account", "ID", "Twelve digits, at the first start. Default: 000000000000"),
        new("http", "PORT", "APIs and console, plain, on loopback only. Default: 8080"),
        new("https", "PORT", "APIs, console and devices over TLS. Default: 8443"),
        new("mqtts", "PORT", "MQTT over TLS. Default: 8883"),
        new("mqtt", "PORT", "Also plain MQTT on loopback, for the users of 'althing mqtt-user'"),
        new("anonymous", null, "Let clients of the plain MQTT listener in without a name. They may do EVERYTHING"),
        new("host", "NAME", "The name that devices use for this machine; becomes part of the server certificate"),
        new("limits", "FILE", "The broker's limits, a JSON object; docs/guide/limits.md has their names"),
        new("strict", null, "Limits as AWS IoT Core has them: no QoS 2, 100 publishes and 512 KiB a second from one client"),
        new("connects-per-second", "N", "MQTT connects of one account in a second, beyond a burst of 20000; 0 for any number. Default: 5000"),
        new("connections-per-address", "N", "New TLS connections of one address in a second, beyond a burst of 20000; 0 for any number. Default: 1000"),
        new("demo", null, "Also run a simulated fleet: trucks, vending machines, a factory line, buttons"),
        DataFolder.PostgreSql,
        new("join", null, "Be one of several nodes on one PostgreSQL; docs/guide/cluster.md"),
        new("node", "NAME", "The node's name. Default: the one it had, or the machine's"),
        new("node-address", "HOST[:PORT]", "Where other nodes reach this one, over TLS. Default: on this machine alone, plain, on loopback"),
        new("cluster-port", "PORT", "The port for other nodes. Default: any free port"),
        new("blobs", "DIR", "The folder of objects' contents; nodes of a cluster share one. Default: in the data folder"),
        new("json-logs", null, "Write logs as JSON, one object a line"),
    ];

    public override async Task<int> Run(Arguments arguments)
    {
        var clock = Stopwatch.StartNew();
        var options = Read(arguments);
        await using var storage = PlatformStorage.Open(new()
        {
            Folder = options.Folder,
            PostgreSql = options.PostgreSql,
            BlobFolder = options.Blobs,
            NoBlobs = options is { Join: true, Blobs: null } ? "a cluster's objects need a folder that all nodes share: start each node with --blobs DIR" : null,
        });
        DataFolder.SayStopped(options.Folder);
        var joined = options.Join ? await Joining.Prepare(storage, options, () => Prepare(storage, options)) : null;
        if (joined is null && storage.IsShared)
            await Joining.RefuseAlone(storage);
        var account = joined?.Account ?? await Prepare(storage, options);
        await using var app = Platform.Build(storage, options, account, joined is null ? null : joined.AddTo);
        await app.StartAsync();
        var ports = BoundPorts.Of(app, options);
        DataFolder.SayRunning(options.Folder, ports.Http);
        Greeting.Print(options, ports, account, clock.Elapsed);
        if (options.Demo)
            Demo.Start(app.Services, options, ports);
        await app.WaitForShutdownAsync();
        DataFolder.SayStopped(options.Folder);
        // A node that was expelled says so by its exit code.
        return Environment.ExitCode;
    }

    static async Task<AccountId> Prepare(PlatformStorage storage, HostOptions options)
    {
        try
        {
            var keys = new SigningKeys(storage.Store, MasterKey.Open(options.Folder), TimeProvider.System);
            return await new FirstStart(storage.Store, keys, TimeProvider.System).Run(options.Folder, options.Account, options.PresetKey, CancellationToken.None);
        }
        catch (InvalidOperationException wrong)
        {
            throw new FailedException(wrong.Message);
        }
    }

    static HostOptions Read(Arguments arguments)
    {
        var options = new HostOptions
        {
            Folder = DataFolder.Of(arguments),
            Account = arguments.Account("account"),
            Http = arguments.Port("http") ?? HostOptions.HttpPort,
            Https = arguments.Port("https") ?? HostOptions.HttpsPort,
            Mqtts = arguments.Port("mqtts") ?? HostOptions.MqttsPort,
            Mqtt = arguments.Port("mqtt"),
            HostName = arguments.Get("host"),
            PostgreSql = DataFolder.Storage(arguments).PostgreSql,
            Join = arguments.Has("join"),
            Node = arguments.Get("node"),
            NodeAddress = AddressOf(arguments),
            Blobs = arguments.Get("blobs") is { } blobs ? Path.GetFullPath(blobs) : null,
            Anonymous = arguments.Has("anonymous"),
            Demo = arguments.Has("demo"),
            JsonLogs = arguments.Has("json-logs"),
            Broker = Limits(arguments),
            Doors = Rate(arguments, "connections-per-address") is { } rate ? new() { ConnectionsPerSecondMax = rate } : new(),
            PresetKey = PresetKey(),
        };
        if (options.HostName is { } name && Uri.CheckHostName(name) == UriHostNameType.Unknown)
            throw new UsageException($"--host {name} is no host name or address.");
        if (options is { Join: true, PostgreSql: null })
            throw new UsageException("--join needs the PostgreSQL that the nodes share: give --postgres CONNECTION too.");
        if (options is { Join: false } && (options.Node is not null || arguments.Has("cluster-port") || arguments.Has("node-address")))
            throw new UsageException("--node, --node-address and --cluster-port concern nodes of a cluster alone: give --join too.");
        if (options is { Anonymous: true, Mqtt: null })
            throw new UsageException("--anonymous concerns the plain MQTT listener alone: give --mqtt PORT too.");
        return options;
    }

    static NodeAddress AddressOf(Arguments arguments)
    {
        var port = arguments.Port("cluster-port") ?? 0;
        if (arguments.Get("node-address") is not { } given)
            return new ClusterOptions { Name = "" }.Address with { Port = port };
        return NodeAddress.TryParse(given, port)
            ?? throw new UsageException($"--node-address {given} is no address that other nodes could dial: give for example 192.0.2.7, 192.0.2.7:7946, [2001:db8::7]:7946 or althing-1.example.com.");
    }

    static BrokerOptions Limits(Arguments arguments)
    {
        var limits = arguments.Has("strict") ? BrokerOptions.Strict : new();
        if (arguments.Get("limits") is { } file)
        {
            try
            {
                limits = BrokerLimits.Read(File.ReadAllText(file), limits);
            }
            catch (Exception wrong) when (wrong is FormatException or IOException or UnauthorizedAccessException)
            {
                throw new UsageException($"--limits {file}: {wrong.Message}");
            }
        }
        return Rate(arguments, "connects-per-second") is { } rate ? limits with { ConnectsPerSecondMax = rate } : limits;
    }

    static int? Rate(Arguments arguments, string name) => arguments.Get(name) is not { } text ? null
        : int.TryParse(text, CultureInfo.InvariantCulture, out var rate) && rate >= 0 ? rate
        : throw new UsageException($"--{name} {text} is not a whole number.");

    static (string, string)? PresetKey()
    {
        var (id, secret) = (Environment.GetEnvironmentVariable("ALTHING_ACCESS_KEY_ID"), Environment.GetEnvironmentVariable("ALTHING_SECRET_ACCESS_KEY"));
        if (string.IsNullOrEmpty(id) && string.IsNullOrEmpty(secret))
            return null;
        return id is { Length: >= 16 and <= 128 } && secret is { Length: >= 16 } && id.All(char.IsAsciiLetterOrDigit) ? (id, secret)
            : throw new UsageException("ALTHING_ACCESS_KEY_ID needs 16 to 128 letters and digits, and ALTHING_SECRET_ACCESS_KEY at least 16 characters; set both or none.");
    }
}
