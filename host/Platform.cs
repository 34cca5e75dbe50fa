using Althing.Api;
using Althing.Core;
using Althing.Shell;
using Althing.Sockets;
using Althing.Storage;
using Althing.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Althing.Host;

/// <summary>Puts the platform together.</summary>
static class Platform
{
    /// <summary>How long requests and connections may take to end once the platform is told to stop.</summary>
    static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Connections that the kernel holds for a listener until they are taken: a fleet that comes back at once. The kernel may hold fewer.</summary>
    const int ConnectionBacklog = 16_384;

    public static WebApplication Build(PlatformStorage storage, HostOptions options, AccountId account, Action<IServiceCollection>? more = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "althing", ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders().AddConsole(o => o.FormatterName = LogLine.FormatterName).AddConsoleFormatter<LogLine, ConsoleFormatterOptions>()
            .SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        builder.AddPlatformTelemetry(new() { JsonLogs = options.JsonLogs });
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Listeners.Configure(kestrel, options));
        builder.Services.AddSingleton<IConnectionListenerFactory, SocketListenerFactory>();
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.Backlog = ConnectionBacklog);
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(host => host.ShutdownTimeout = StopTimeout);
        Services.Add(builder.Services, storage, options, account);
        more?.Invoke(builder.Services);
        builder.WebHost.UseStaticWebAssets();
        var app = builder.Build();
        // Figures about the platform are for its operator, who is on the machine or brings a tunnel.
        app.Use(next => http => http.Request.IsHttps && http.Request.Path.StartsWithSegments("/metrics", StringComparison.OrdinalIgnoreCase) ? NotHere(http) : next(http));
        app.UseDeviceDoors();
        app.UseAwsApis();
        app.MapHealth();
        app.MapMetrics();
        app.MapConsole();
        app.MapFallback(app.Services.GetRequiredService<ApiDoor>().Handle);
        return app;
    }

    static Task NotHere(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
