using Althing.Identity;
using Althing.Simulator;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Host;

/// <summary>Runs the demo fleet against the platform in the same process, by the doors that any device uses.</summary>
static class Demo
{
    public static void Start(IServiceProvider services, HostOptions options, int httpPort, int mqttsPort)
    {
        var credentials = File.ReadAllLines(Path.Combine(options.Folder, "credentials"));
        string Value(string name) => credentials.First(l => l.StartsWith(name, StringComparison.Ordinal)).Split('=', 2)[1].Trim();
        var demo = new DemoOptions
        {
            ApiEndpoint = new($"http://localhost:{httpPort}"),
            MqttHost = "localhost",
            MqttPort = mqttsPort,
            CaPem = File.ReadAllText(Path.Combine(options.Folder, "ca.pem")),
            AccessKeyId = Value("aws_access_key_id"),
            SecretAccessKey = new Secret(Value("aws_secret_access_key")),
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
