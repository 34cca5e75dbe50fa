using System.Diagnostics;
using System.Text.RegularExpressions;
using Althing.Identity;
using Althing.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Host.Verbs;

/// <summary><c>althing up</c>: the platform, until it is told to stop.</summary>
sealed partial class Up : Verb
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
        new("host", "NAME", "The name that devices use for this machine; becomes part of the server certificate"),
        new("postgres", "CONNECTION", "Keep tables and journals in PostgreSQL. Also: ALTHING_POSTGRES"),
        new("json-logs", null, "Write logs as JSON, one object a line"),
    ];

    public override async Task<int> Run(Arguments arguments)
    {
        var clock = Stopwatch.StartNew();
        var options = Read(arguments);
        await using var storage = PlatformStorage.Open(new() { Folder = options.Folder, PostgreSql = options.PostgreSql });
        var account = await Prepare(storage, options);
        await using var app = Platform.Build(storage, options, account);
        await app.StartAsync();
        Greeting.Print(app, options, account, clock.Elapsed);
        await app.WaitForShutdownAsync();
        return 0;
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
            Account = arguments.Get("account") is not { } id ? null
                : AccountPattern().IsMatch(id) ? new AccountId(id) : throw new UsageException($"--account {id} is no account id: it has twelve digits."),
            Http = arguments.Port("http") ?? HostOptions.HttpPort,
            Https = arguments.Port("https") ?? HostOptions.HttpsPort,
            Mqtts = arguments.Port("mqtts") ?? HostOptions.MqttsPort,
            Mqtt = arguments.Port("mqtt"),
            HostName = arguments.Get("host"),
            PostgreSql = arguments.Get("postgres") ?? Environment.GetEnvironmentVariable("ALTHING_POSTGRES"),
            Region = Environment.GetEnvironmentVariable("AWS_REGION") ?? Environment.GetEnvironmentVariable("AWS_DEFAULT_REGION") ?? "us-east-1",
            JsonLogs = arguments.Has("json-logs"),
            PresetKey = PresetKey(),
        };
        if (options.HostName is { } name && Uri.CheckHostName(name) == UriHostNameType.Unknown)
            throw new UsageException($"--host {name} is no host name or address.");
        return options;
    }

    static (string, string)? PresetKey()
    {
        var (id, secret) = (Environment.GetEnvironmentVariable("ALTHING_ACCESS_KEY_ID"), Environment.GetEnvironmentVariable("ALTHING_SECRET_ACCESS_KEY"));
        if (string.IsNullOrEmpty(id) && string.IsNullOrEmpty(secret))
            return null;
        return id is { Length: >= 16 and <= 128 } && secret is { Length: >= 16 } && id.All(char.IsAsciiLetterOrDigit) ? (id, secret)
            : throw new UsageException("ALTHING_ACCESS_KEY_ID needs 16 to 128 letters and digits, and ALTHING_SECRET_ACCESS_KEY at least 16 characters; set both or none.");
    }

    [GeneratedRegex("^[0-9]{12}$")]
    private static partial Regex AccountPattern();
}
