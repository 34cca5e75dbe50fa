using System.Diagnostics.Metrics;
using System.Net;
using Althing.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Althing.Tests.Telemetry;

public sealed class TelemetryTests
{
    sealed class Probe(string name, Func<string?> state) : IHealthProbe
    {
        public string Name => name;
        public ValueTask<string?> Check(CancellationToken cancel) => ValueTask.FromResult(state());
    }

    [Fact]
    public async Task Health_says_which_part_is_not_well_and_metrics_show_what_services_count()
    {
        var broken = false;
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddPlatformTelemetry();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(TimeProvider.System)
            .AddSingleton<IHealthProbe>(new Probe("storage", () => broken ? throw new IOException("/secret/path") : null))
            .AddSingleton<IHealthProbe>(new Probe("broker", () => broken ? "no listener" : null));
        await using var app = builder.Build();
        app.MapHealth();
        app.MapMetrics();
        await app.StartAsync();
        using var http = new HttpClient { BaseAddress = new(app.Urls.First()) };

        Assert.Equal("live\n", await http.GetStringAsync("/healthz/live"));
        Assert.Equal("""{"broker":"ok","storage":"ok"}""", await http.GetStringAsync("/healthz/ready"));
        broken = true;
        using var unready = await http.GetAsync("/healthz/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, unready.StatusCode);
        Assert.Equal("""{"broker":"no listener","storage":"failed: IOException"}""", await unready.Content.ReadAsStringAsync());

        using var meter = new Meter("Althing.TelemetryTests");
        meter.CreateCounter<long>("althing.test.things").Add(3);
        Assert.Contains("althing_test_things", await http.GetStringAsync("/metrics"));
    }

    [Theory]
    [InlineData("-----BEGIN RSA PRIVATE KEY-----\nMII\nabc\n-----END RSA PRIVATE KEY-----", "MII")]
    [InlineData("""{"password":"hush","a":1}""", "hush")]
    [InlineData("Host=db;Password=hush;Port=1", "hush")]
    [InlineData("postgres://user:hush@db/x", "hush")]
    [InlineData("GET /x?X-Amz-Signature=hush&b=1", "hush")]
    [InlineData("aws_secret_access_key = hush", "hush")]
    public void Redaction_takes_secrets_out(string text, string secret)
    {
        var redacted = Redaction.Redact(text);
        Assert.DoesNotContain(secret, redacted);
        Assert.Contains(Redaction.Mark, redacted);
    }

    [Fact]
    public void Redaction_leaves_other_text_alone() => Assert.Equal("thing pump-1 connected from 10.0.0.1:5000", Redaction.Redact("thing pump-1 connected from 10.0.0.1:5000"));
}
