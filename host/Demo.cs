using Althing.Identity;
using Althing.Simulator;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Host;

/// <summary>Runs the demo fleet against the platform in the same process, by the doors that any device uses.</summary>
static class Demo
{
    public static void Start(IServiceProvider services, HostOptions options, BoundPorts ports)
    {
        var (id, secret) = CredentialsFile.Read(options.Folder)
            ?? throw new FailedException($"--demo needs the administrator's key: there is none in {CredentialsFile.PathIn(options.Folder)}.");
        var demo = new DemoOptions
        {
            ApiEndpoint = new($"http://localhost:{ports.Http}"),
            MqttHost = "localhost",
            MqttPort = ports.Mqtts,
            CaPem = File.ReadAllText(Path.Combine(options.Folder, "ca.pem")),
            AccessKeyId = id,
            SecretAccessKey = secret,
            Region = options.Region,
            KeyFolder = Path.Combine(options.Folder, "demo"),
        };
        var log = services.GetRequiredService<ILoggerFactory>().CreateLogger("Althing.Simulator");
        var stopping = services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        var fleet = new DemoFleet(demo, services.GetRequiredService<TimeProvider>(), log);
        _ = Task.Run(() => fleet.Run(DemoFleet.Shipped, stopping), CancellationToken.None)
            .ContinueWith(t => LogEnded(log, t.Exception!.InnerException!), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    static void LogEnded(ILogger log, Exception failure) =>
        LoggerMessage.Define(LogLevel.Error, new(1, "DemoEnded"), "The demo fleet ended")(log, failure);
}
