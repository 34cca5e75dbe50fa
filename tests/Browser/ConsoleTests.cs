using Microsoft.Playwright;

namespace Althing.Tests.Browser;

/// <summary>The console in a real browser.</summary>
public class ConsoleTests
{
    [Fact]
    public async Task Nothing_is_shown_without_the_password()
    {
        await using var house = await House.Up();
        await using var browser = await ConsoleBrowser.Open(house, signIn: false);
        await browser.SignIn("not the password");
        await browser.Sees("That is not the password");
        await browser.Go("/console/things");
        await browser.Sees("Sign in to the console");
        await browser.SignIn(house.ConsolePassword);
        await browser.SeesHeading("Home");
        await browser.Page.GetByLabel("Sign out").ClickAsync();
        await browser.Sees("Sign in to the console");
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task A_thing_made_in_one_window_appears_in_another_without_reload()
    {
        await using var house = await House.Up();
        await using var one = await ConsoleBrowser.Open(house);
        await using var two = await ConsoleBrowser.Open(house);
        await two.SeesHeading("Home");
        await two.Go("/console/things");
        await two.Sees("No things yet");
        await one.SeesHeading("Home");
        await one.Go("/console/things");
        await one.Page.GetByRole(AriaRole.Button, new() { Name = "Create thing" }).ClickAsync();
        await one.Page.GetByLabel("Name*", new() { Exact = true }).FillAsync("pump-1");
        await one.Page.GetByLabel("Attributes", new() { Exact = true }).FillAsync("site=Bergen\nfloor=2");
        await one.Page.GetByRole(AriaRole.Button, new() { Name = "Create", Exact = true }).ClickAsync();
        await one.Sees("pump-1 was created.");
        await two.Sees("pump-1");
        await two.Sees("site = Bergen");
        await two.Page.GetByRole(AriaRole.Link, new() { Name = "pump-1" }).ClickAsync();
        await two.SeesHeading("pump-1");
        await two.Sees("arn:aws:iot:us-east-1:000000000000:thing/pump-1");
        Assert.Equal(200, (await house.Call(HttpMethod.Get, "/things/pump-1")).Status);
        Assert.Empty(one.Errors.Concat(two.Errors));
    }

    [Fact]
    public async Task The_mqtt_test_client_hears_what_it_and_devices_publish()
    {
        await using var house = await House.Up();
        await using var browser = await ConsoleBrowser.Open(house);
        await browser.SeesHeading("Home");
        await browser.Go("/console/mqtt");
        await browser.Page.GetByLabel("Topic filter").FillAsync("plant/#");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Subscribe" }).ClickAsync();
        await browser.Sees("Nothing heard yet");
        await browser.Page.GetByLabel("Topic", new() { Exact = true }).FillAsync("plant/console");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Publish" }).ClickAsync();
        await browser.Sees("plant/console");
        Assert.Equal(200, (await house.Call(HttpMethod.Post, "/topics/plant%2Fapi?qos=1", new { temperature = 21.5 }, "iotdata")).Status);
        await browser.Sees("\"temperature\": 21.5");
        Assert.Empty(browser.Errors);
    }
}
