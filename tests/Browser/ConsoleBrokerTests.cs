using System.Globalization;
using Althing.Tests.Clients;
using Microsoft.Playwright;

namespace Althing.Tests.Browser;

/// <summary>The broker at work, as the console shows it.</summary>
public class ConsoleBrokerTests
{
    [Fact]
    public async Task A_publish_is_explained_traced_and_counted()
    {
        Tool.Need("mosquitto_pub", "mosquitto_sub", "stdbuf");
        await using var house = await House.Up();
        var device = await house.Device("pump");
        await using var near = await Listener.Start(house, [.. house.Mosquitto(device, "near"), "-t", "plant/+", "-q", "1"]);
        await house.Run("mosquitto_sub", [.. house.Mosquitto(device, "far"), "-t", "plant/#", "-q", "1", "-c", "-E"]);
        await using var browser = await ConsoleBrowser.Open(house);
        await browser.SeesHeading("Home");
        await browser.Go("/console/why");
        await browser.Page.GetByLabel("Topic filter").FillAsync("plant/#");
        await browser.Page.GetByLabel("Why did it not reach").FillAsync("nobody");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Record" }).ClickAsync();
        await browser.Sees("Nothing yet");
        await house.Run("mosquitto_pub", [.. house.Mosquitto(device, "talker"), "-t", "plant/1", "-m", "{\"speed\":7}", "-q", "1", "-r"]);
        await browser.Sees("Acknowledged with QoS 1.");
        await browser.Sees("Waits in its session: the client is away.");
        await browser.Sees("It is not connected and has no session that waits for it.");
        await browser.Shot("why");
        await browser.Go("/console/traffic");
        await browser.Sees("Clients that do not keep up (1)");
        var busy = house.Run("mosquitto_pub", [.. house.Mosquitto(device, "talker"), "-t", "plant/busy", "-m", "1", "--repeat", "60", "--repeat-delay", "0.1"]);
        await browser.Sees("plant/busy");
        await Assertions.Expect(browser.Page.GetByRole(AriaRole.Link, new() { Name = "near" })).ToBeVisibleAsync();
        await browser.Shot("traffic");
        await busy;
        await browser.Go("/console/subscriptions");
        await browser.Page.GetByLabel("Leads to topic").FillAsync("plant/1");
        await browser.Sees("2 of 2");
        await browser.Page.GetByLabel("Client id contains").FillAsync("far");
        await browser.Sees("1 of 2");
        await browser.Shot("subscriptions");
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task A_client_is_traced_live_without_its_secrets_and_found_among_the_connections()
    {
        Tool.Need("mosquitto_pub", "mosquitto_sub", "stdbuf");
        await using var house = await House.Up();
        var device = await house.Device("pump");
        await using var browser = await ConsoleBrowser.Open(house, width: 390, height: 844, scheme: ColorScheme.Dark);
        await browser.SeesHeading("Home");
        await browser.Go("/console/trace?client=near");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Start" }).ClickAsync();
        await browser.Sees("Nothing yet");
        await using var near = await Listener.Start(house, [.. house.Mosquitto(device, "near"), "-t", "plant/+", "-u", "name-of-user", "-P", "word-of-password"]);
        await house.Run("mosquitto_pub", [.. house.Mosquitto(device, "talker"), "-t", "plant/1", "-m", "a payload"]);
        await browser.Sees("plant/1, QoS 0, 9 bytes of payload");
        await browser.Sees("password not shown");
        foreach (var secret in new[] { "name-of-user", "word-of-password", "a payload" })
            await Assertions.Expect(browser.Page.GetByText(secret)).ToHaveCountAsync(0);
        await browser.Shot("trace");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await browser.Sees("stopped");
        await browser.Go("/console/connections?client=near");
        await browser.Sees("plant/+ (QoS 0)");
        await browser.Sees("0 in flight, 0 waiting");
        await browser.Shot("connection");
        Assert.True(await browser.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"));
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task A_retained_message_is_found_read_and_deleted()
    {
        await using var house = await House.Up();
        for (var i = 0; i < 60; i++)
            Assert.Equal(200, (await house.Call(HttpMethod.Post, string.Create(CultureInfo.InvariantCulture, $"/topics/plant%2F{i:00}?qos=1&retain=true"), new { speed = i }, "iotdata")).Status);
        await using var browser = await ConsoleBrowser.Open(house);
        await browser.SeesHeading("Home");
        await browser.Go("/console/retained");
        await browser.Sees("1–50 of 60");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Next" }).ClickAsync();
        await browser.Sees("51–60 of 60");
        await browser.Page.GetByLabel("Topic contains").FillAsync("/07");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "plant/07", Exact = true }).ClickAsync();
        await browser.Sees("\"speed\": 7");
        await browser.Shot("retained");
        await browser.Page.GetByLabel("Delete the message of plant/07").ClickAsync();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).Last.ClickAsync();
        await browser.Sees("0 of 59");
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task Prometheus_sees_what_the_broker_holds()
    {
        await using var house = await House.Up();
        Assert.Equal(200, (await house.Call(HttpMethod.Post, "/topics/plant?qos=1&retain=true", new { speed = 1 }, "iotdata")).Status);
        using var http = new HttpClient();
        var page = await http.GetStringAsync(new Uri(house.Endpoint, "/metrics"));
        foreach (var name in new[] { "connections", "sessions", "subscriptions", "queued_messages", "queued_bytes", "inflight", "unsent_bytes", "slow_consumers", "traces", "bytes_received", "bytes_sent" })
            Assert.Contains("althing_broker_" + name, page, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^althing_broker_retained\{?[^\n]* 1( |$)", page);
    }
}
