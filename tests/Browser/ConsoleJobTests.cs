using System.Text.Json.Nodes;
using Althing.Tests.Broker;
using Microsoft.Playwright;

namespace Althing.Tests.Browser;

public class ConsoleJobTests
{
    [Theory]
    [InlineData(1440)]
    [InlineData(390)]
    public async Task A_job_is_made_by_the_wizard_watched_and_run_again_where_it_failed(int width)
    {
        await using var house = await House.Up("--mqtt", "0", "--anonymous");
        foreach (var name in new[] { "pump-1", "pump-2", "pump-3" })
            await house.Call(HttpMethod.Post, "/things/" + name, new { });
        await using var browser = await ConsoleBrowser.Open(house, width: width, height: width > 800 ? 900 : 844);
        await browser.SeesHeading("Home");
        await browser.Go("/console/jobs");
        await browser.Sees("No jobs yet");
        await browser.Shot($"{width}-jobs-empty");
        await browser.Page.GetByRole(AriaRole.Link, new() { Name = "Create job" }).ClickAsync();
        await browser.SeesHeading("New job");
        await Fill(browser, "Job id", "restart-1");
        var document = browser.Page.GetByLabel("Job document");
        await document.FillAsync("{");
        await browser.Sees("This is not JSON.");
        await document.FillAsync("""{"operation": "restart", "afterSeconds": 5}""");
        await browser.Shot($"{width}-job-what");
        await Next(browser);
        await Fill(browser, "Things", "pump-1\npump-2\npump-3");
        await browser.Shot($"{width}-job-where");
        await Next(browser);
        await Fill(browser, "Minutes that a device may take", "10");
        await browser.Shot($"{width}-job-how");
        await Next(browser);
        await browser.Sees("\"inProgressTimeoutInMinutes\": 10");
        await browser.Shot($"{width}-job-review");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Create job" }).ClickAsync();
        await browser.SeesHeading("restart-1");
        await browser.Sees("0 of 3 devices are done");

        await Work(house, "pump-1", """{"status":"SUCCEEDED"}""");
        await Work(house, "pump-2", """{"status":"FAILED","statusDetails":{"reason":"valve stuck"}}""");
        await browser.Sees("2 of 3 devices are done");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "What pump-2 says of it" }).ClickAsync();
        await browser.Sees("valve stuck");
        await browser.Shot($"{width}-job");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel on pump-3" }).ClickAsync();
        await browser.Sees("3 of 3 devices are done");
        await browser.Go("/console/jobs");
        await browser.Sees("completed");
        await browser.Shot($"{width}-jobs");

        await browser.Go("/console/jobs/restart-1");
        await browser.Page.GetByRole(AriaRole.Link, new() { Name = "Run again where it failed" }).ClickAsync();
        await browser.SeesHeading("New job");
        await Assertions.Expect(browser.Page.GetByLabel("Job id")).ToHaveValueAsync("restart-2");
        for (var i = 0; i < 3; i++)
            await Next(browser);
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Create job" }).ClickAsync();
        await browser.SeesHeading("restart-2");
        await browser.Sees("0 of 1 devices are done");
        await browser.Go("/console/things/pump-2/jobs");
        await browser.Sees("restart-2");
        await browser.Shot($"{width}-thing-jobs");
        Assert.Empty(browser.Errors);
    }

    static Task Fill(ConsoleBrowser browser, string label, string text) => browser.Page.GetByLabel(label, new() { Exact = false }).First.FillAsync(text);

    static Task Next(ConsoleBrowser browser) => browser.Page.GetByRole(AriaRole.Button, new() { Name = "Next", Exact = true }).ClickAsync();

    /// <summary>The device takes its next job and says how it ended.</summary>
    static async Task Work(House house, string thing, string end)
    {
        await using var device = await TestClient.Connect(house.MqttPort!.Value, thing, c => (c.Account, c.Password) = (null, null));
        await device.Subscribe($"$aws/things/{thing}/jobs/start-next/accepted");
        await device.PublishSurely($"$aws/things/{thing}/jobs/start-next", "{}");
        var id = (string)JsonNode.Parse(await device.Payload())!["execution"]!["jobId"]!;
        await device.PublishSurely($"$aws/things/{thing}/jobs/{id}/update", end);
    }

    [Fact]
    public async Task Templates_are_kept_looked_at_and_used()
    {
        await using var house = await House.Up();
        await house.Call(HttpMethod.Post, "/things/pump-1", new { });
        await using var browser = await ConsoleBrowser.Open(house);
        await browser.SeesHeading("Home");
        await browser.Go("/console/job-templates");
        await browser.Sees("AWS-Reboot");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Create template" }).ClickAsync();
        await Fill(browser, "Template id", "weekly-restart");
        await Fill(browser, "Description", "Restart on Sundays");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Create", Exact = true }).ClickAsync();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "weekly-restart", Exact = true }).ClickAsync();
        await browser.Sees("\"operation\": \"reboot\"");
        await browser.Shot("1440-job-templates");
        await browser.Go("/console/jobs/new?template=AWS-Download-File&thing=pump-1");
        await browser.Sees("Where the file is downloaded from");
        await browser.Shot("1440-job-from-template");
        Assert.Empty(browser.Errors);
    }
}
