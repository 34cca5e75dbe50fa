using Althing.Tests.Broker;
using Microsoft.Playwright;

namespace Althing.Tests.Browser;

public class ConsoleShadowTests
{
    [Theory]
    [InlineData(1440)]
    [InlineData(390)]
    public async Task A_shadow_is_watched_live_and_edited(int width)
    {
        await using var house = await House.Up("--mqtt", "0", "--anonymous");
        await house.Call(HttpMethod.Post, "/things/pump-1", new { });
        await using var browser = await ConsoleBrowser.Open(house, width: width, height: width > 800 ? 900 : 844);
        await browser.SeesHeading("Home");
        await browser.Go("/console/things/pump-1");
        await browser.Sees("none yet");
        await browser.Page.GetByRole(AriaRole.Link, new() { Name = "Classic shadow" }).ClickAsync();
        await browser.Sees("There is no such shadow yet");
        await using var device = await TestClient.Connect(house.MqttPort!.Value, "pump-1", c => (c.Account, c.Password) = (null, null));
        await device.Subscribe("$aws/things/pump-1/shadow/update/delta");
        await device.PublishSurely("$aws/things/pump-1/shadow/update", """{"state":{"reported":{"speed":1200,"valve":{"open":false,"position":35},"firmware":"2.1.0","faults":["dry-run"]}}}""");
        await browser.Sees("valve.position");
        await browser.Sees("as desired");
        var editor = browser.Page.GetByLabel("State of the shadow");
        await editor.FillAsync("""{"desired": {"speed": 1450, "valve": {"open": true}}, "reported" """);
        await browser.Sees("This is not JSON.");
        await editor.FillAsync("""{"desired": {"speed": 1450, "valve": {"open": true}}, "reported": {"speed":1200,"valve":{"open":false,"position":35},"firmware":"2.1.0","faults":["dry-run"]}}""");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await browser.Sees("2 values differ");
        await browser.Shot($"{width}-shadow");
        Assert.Contains("""{"speed":1450,"valve":{"open":true}}""", await device.Payload(), StringComparison.Ordinal);
        await device.PublishSurely("$aws/things/pump-1/shadow/update", """{"state":{"reported":{"speed":1450,"valve":{"open":true}}}}""");
        await browser.Sees("as desired");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Delete shadow" }).ClickAsync();
        await browser.Sees("There is no such shadow yet");
        await browser.Go("/console/things/pump-1");
        await browser.Page.GetByRole(AriaRole.Textbox, new() { Name = "Make a named shadow" }).FillAsync("config");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Open" }).ClickAsync();
        await browser.SeesHeading("config");
        await browser.Page.GetByLabel("State of the shadow").FillAsync("""{"desired": {"interval": 10}}""");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await browser.Sees("1 value differs");
        await browser.Go("/console/things/pump-1");
        await browser.Sees("config");
        await browser.Shot($"{width}-thing-with-shadows");
        Assert.Empty(browser.Errors);
    }
}
