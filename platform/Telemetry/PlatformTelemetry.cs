using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Althing.Telemetry;

/// <summary>How the platform lets itself be watched.</summary>
public sealed record TelemetryOptions
{
    /// <summary>Log lines as JSON, one object a line with its scopes (request ids among them), instead of text for people.</summary>
    public bool JsonLogs { get; init; }
}

/// <summary>
/// Metrics, traces and logs. Every service names its <c>Meter</c> and <c>ActivitySource</c> <c>Althing.…</c>: that is all it has to do to
/// be seen.
/// </summary>
public static class PlatformTelemetry
{
    const string Sources = "Althing.*";

    /// <summary>
    /// Collects metrics for <c>/metrics</c>. Traces are made, and metrics pushed, only when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says where to
    /// send them; the other standard <c>OTEL_…</c> variables hold as well.
    /// </summary>
    public static TBuilder AddPlatformTelemetry<TBuilder>(this TBuilder builder, TelemetryOptions? options = null) where TBuilder : IHostApplicationBuilder
    {
        var exports = !string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(r => r.AddService("althing", serviceVersion: typeof(PlatformTelemetry).Assembly.GetName().Version?.ToString()))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(Sources, "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime").AddAspNetCoreInstrumentation().AddPrometheusExporter();
                if (exports)
                    metrics.AddOtlpExporter();
            });
        if (exports)
            telemetry.WithTracing(traces => traces.AddSource(Sources).AddAspNetCoreInstrumentation().AddOtlpExporter());
        AddLogs(builder.Logging, options ?? new());
        return builder;
    }

    /// <summary>The Prometheus page <c>/metrics</c>. It has figures and names of operations, no names of resources.</summary>
    public static void MapMetrics(this IEndpointRouteBuilder app) => app.MapPrometheusScrapingEndpoint("/metrics");

    static void AddLogs(ILoggingBuilder logging, TelemetryOptions options)
    {
        if (options.JsonLogs)
            logging.AddJsonConsole(o => (o.IncludeScopes, o.UseUtcTimestamp, o.TimestampFormat) = (true, true, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'"));
    }
}
