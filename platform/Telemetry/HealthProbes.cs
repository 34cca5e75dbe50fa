using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Althing.Telemetry;

/// <summary>Something that must work for the platform to be ready: the storage, the broker. Register as many as there are.</summary>
public interface IHealthProbe
{
    /// <summary>A short name for the answer, such as <c>storage</c>.</summary>
    string Name { get; }

    /// <summary>Null when all is well, else what is wrong, for an operator to read. An exception counts as not well.</summary>
    ValueTask<string?> Check(CancellationToken cancel);

    /// <summary>What an operator should know while all is well, in place of <c>ok</c>; null for nothing.</summary>
    string? Remark => null;
}

/// <summary>The doors for load balancers and service managers.</summary>
public static class HealthProbes
{
    /// <summary>A probe that takes longer is not well.</summary>
    static readonly TimeSpan ProbeMax = TimeSpan.FromSeconds(5);

    /// <summary>
    /// <c>/healthz/live</c>: the process answers. <c>/healthz/ready</c>: every <see cref="IHealthProbe"/> is well (200), or the answer says
    /// which is not (503). Without authentication, so that the answers say nothing that a stranger could use.
    /// </summary>
    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.MapGet("/healthz/live", () => Results.Text("live\n"));
        app.MapGet("/healthz/ready", Ready);
    }

    static async Task Ready(HttpContext http)
    {
        var time = http.RequestServices.GetRequiredService<TimeProvider>();
        using var limit = new CancellationTokenSource(ProbeMax, time);
        ConcurrentDictionary<string, string> states = new(StringComparer.Ordinal);
        var probes = http.RequestServices.GetServices<IHealthProbe>();
        var unwell = 0;
        await Task.WhenAll(probes.Select(async p =>
        {
            var wrong = await WhatIsWrong(p, limit.Token);
            if (wrong is not null)
                Interlocked.Increment(ref unwell);
            states[p.Name] = wrong ?? p.Remark ?? "ok";
        }));
        http.Response.StatusCode = unwell == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        http.Response.ContentType = "application/json";
        await http.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(states.OrderBy(s => s.Key, StringComparer.Ordinal).ToDictionary()), http.RequestAborted);
    }

    static async Task<string?> WhatIsWrong(IHealthProbe probe, CancellationToken cancel)
    {
        try
        {
            return await probe.Check(cancel).AsTask().WaitAsync(cancel);
        }
        catch (Exception failure)
        {
            return $"failed: {failure.GetType().Name}";
        }
    }
}
