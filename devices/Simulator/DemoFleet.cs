using System.Reflection;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Althing.Simulator;

/// <summary>Where a simulated fleet finds its platform, and keeps its keys.</summary>
public sealed record DemoOptions
{
    /// <summary>The APIs, such as <c>http://localhost:8080</c>.</summary>
    public required Uri ApiEndpoint { get; init; }

    /// <summary>The name in the server's certificate.</summary>
    public required string MqttHost { get; init; }
    public required int MqttPort { get; init; }
    public required string CaPem { get; init; }
    public required string AccessKeyId { get; init; }
    public required Identity.Secret SecretAccessKey { get; init; }
    public string Region { get; init; } = "us-east-1";

    /// <summary>Certificates and keys of the devices, readable by their owner alone.</summary>
    public required string KeyFolder { get; init; }
}

/// <summary>
/// Fleets of simulated devices that come by the doors any device and any administrator comes by: they are made with signed API calls and
/// talk MQTT over mutual TLS, each with a certificate of its own.
/// </summary>
public sealed partial class DemoFleet(DemoOptions options, TimeProvider time, ILogger log)
{
    static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(60);

    /// <summary>The scenarios that come with the simulator, by name.</summary>
    public static IReadOnlyList<Scenario> Shipped { get; } =
    [
        .. from name in Assembly.GetExecutingAssembly().GetManifestResourceNames()
           orderby name
           select ScenarioFile.Parse(name + ".yaml", new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!).ReadToEnd()),
    ];

    /// <summary>Makes what is missing in the registry, then lives the devices' lives until cancelled.</summary>
    public async Task Run(IReadOnlyList<Scenario> scenarios, CancellationToken cancel)
    {
        using var root = X509Certificate2.CreateFromPem(options.CaPem);
        using var provisioning = new Provisioning(options, time);
        List<Task> lives = [];
        try
        {
            foreach (var scenario in scenarios)
            {
                await Retry($"provision the fleet {scenario.Fleet}", () => provisioning.Prepare(scenario, cancel), cancel);
                for (var number = 1; number <= scenario.Count; number++)
                {
                    var (name, index) = (scenario.NameOf(number), number);
                    X509Certificate2 certificate = null!;
                    await Retry($"provision {name}", async () => certificate = await provisioning.Device(scenario, name, index, cancel), cancel);
                    lives.Add(Live(scenario, name, new(options.MqttHost, options.MqttPort, root, certificate), cancel));
                }
                LogReady(log, scenario.Fleet, scenario.Count);
            }
            await Task.WhenAll(lives);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            await Task.WhenAll(lives);
        }
    }

    async Task Live(Scenario scenario, string name, DeviceAddress address, CancellationToken cancel)
    {
        var device = new SimulatedDevice(scenario, name, time);
        var failures = 0;
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await device.Connected(address, () => failures = 0, cancel);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                break;
            }
            catch (Exception failure) when (failure is IOException or TimeoutException or OperationCanceledException or ObjectDisposedException)
            {
                LogLost(log, name, failure.Message);
            }
            catch (Exception failure)
            {
                // A mistake of ours; one device must not fall silent for it without a word.
                LogBroken(log, failure, name);
            }
            try
            {
                // Not all at once: a fleet that lost its platform must not storm it when it is back.
                var most = Math.Min(RetryMax.TotalSeconds, Math.Pow(2, ++failures));
                await Task.Delay(TimeSpan.FromSeconds(Random.Shared.NextDouble() * most), time, cancel);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }
    }

    async Task Retry(string what, Func<Task> act, CancellationToken cancel)
    {
        for (var delay = TimeSpan.FromSeconds(1); ; delay = delay * 2 < RetryMax ? delay * 2 : RetryMax)
        {
            try
            {
                await act();
                return;
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException || (failure is OperationCanceledException && !cancel.IsCancellationRequested))
            {
                LogRetry(log, what, failure.Message);
                await Task.Delay(delay, time, cancel);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Demo: {Count} devices of fleet {Fleet} are alive")]
    static partial void LogReady(ILogger logger, string fleet, int count);

    [LoggerMessage(2, LogLevel.Warning, "Demo: {Device} lost its connection and will try again. {Why}")]
    static partial void LogLost(ILogger logger, string device, string why);

    [LoggerMessage(3, LogLevel.Warning, "Demo: cannot {What} now and will try again. {Why}")]
    static partial void LogRetry(ILogger logger, string what, string why);

    [LoggerMessage(4, LogLevel.Error, "Demo: {Device} failed and will connect again")]
    static partial void LogBroken(ILogger logger, Exception failure, string device);
}
