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
        await one.Page.GetByRole(AriaRole.Textbox, new() { Name = "Name*" }).FillAsync("pump-1");
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
    public async Task A_policy_is_checked_while_it_is_written_then_tested()
    {
        await using var house = await House.Up();
        await using var browser = await ConsoleBrowser.Open(house);
        await browser.SeesHeading("Home");
        await browser.Go("/console/policies/new");
        var editor = browser.Page.GetByLabel("Policy document");
        await editor.FillAsync("{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{ \"Effect\": \"Perhaps\", \"Action\": \"iot:Publish\", \"Resource\": \"*\" }]\n}");
        await browser.Sees("line 3");
        await Assertions.Expect(browser.Page.GetByRole(AriaRole.Button, new() { Name = "Create" })).ToBeDisabledAsync();
        await editor.FillAsync("{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{ \"Effect\": \"Allow\", \"Action\": \"iot:Publish\", \"Resource\": \"arn:aws:iot:us-east-1:000000000000:topic/plant/*\" }]\n}");
        await browser.Page.GetByRole(AriaRole.Textbox, new() { Name = "Name*" }).FillAsync("plant");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
        await browser.SeesHeading("plant");
        await browser.Page.GetByRole(AriaRole.Link, new() { Name = "Test", Exact = true }).ClickAsync();
        await browser.SeesHeading("May this device do that?");
        await browser.Page.GetByLabel("Topic", new() { Exact = true }).FillAsync("plant/pump-1");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Ask" }).ClickAsync();
        await browser.Sees("Yes, it may");
        await browser.Page.GetByLabel("Topic", new() { Exact = true }).FillAsync("office/door");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Ask" }).ClickAsync();
        await browser.Sees("No, it may not");
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task A_certificates_key_is_offered_once()
    {
        await using var house = await House.Up();
        await using var browser = await ConsoleBrowser.Open(house);
        await browser.SeesHeading("Home");
        await browser.Go("/console/certificates");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Create certificate" }).ClickAsync();
        await browser.Sees("the private key is not kept");
        var download = await browser.Page.RunAndWaitForDownloadAsync(() => browser.Page.GetByRole(AriaRole.Button, new() { Name = "Private key" }).ClickAsync());
        Assert.StartsWith("-----BEGIN RSA PRIVATE KEY-----", await File.ReadAllTextAsync(await download.PathAsync()), StringComparison.Ordinal);
        await browser.Page.ReloadAsync();
        await browser.Sees("active");
        await Assertions.Expect(browser.Page.GetByRole(AriaRole.Button, new() { Name = "Private key" })).ToHaveCountAsync(0);
        Assert.Empty(browser.Errors);
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

/// <summary>Every page at desk and phone width, light and dark: it fits, and no script complains.</summary>
public class PagesTests
{
    static readonly string[] Fixed =
    [
        "/console", "/console/things", "/console/things/truck-1", "/console/thing-groups", "/console/thing-groups/fleet", "/console/thing-types",
        "/console/certificates", "/console/policies", "/console/policies/new", "/console/policies/policy-of-truck", "/console/policy-tester", "/console/mqtt",
    ];

    [Theory]
    [InlineData(1440, 900, ColorScheme.Light)]
    [InlineData(390, 844, ColorScheme.Light)]
    [InlineData(1440, 900, ColorScheme.Dark)]
    [InlineData(390, 844, ColorScheme.Dark)]
    public async Task Every_page_fits_its_window(int width, int height, ColorScheme scheme)
    {
        await using var house = await House.Up();
        var device = await Furnish(house);
        await using var browser = await ConsoleBrowser.Open(house, width: width, height: height, scheme: scheme);
        await browser.SeesHeading("Home");
        foreach (var path in Fixed.Append("/console/certificates/" + device.Arn.Split('/')[^1]))
        {
            await browser.Go(path);
            await Assertions.Expect(browser.Page.Locator("h1")).ToBeVisibleAsync();
            await Assertions.Expect(browser.Page.Locator("[aria-busy=true]")).ToHaveCountAsync(0);
            await browser.Page.WaitForTimeoutAsync(300);
            await browser.Shot($"{width}-{scheme}{path.Replace('/', '-')[..Math.Min(path.Length, 40)]}");
            var overflow = await browser.Page.EvaluateAsync<int>("document.documentElement.scrollWidth - window.innerWidth");
            Assert.True(overflow <= 0, $"{path} is {overflow} pixels wider than its window of {width}.");
        }
        Assert.Empty(browser.Errors);
    }

    static async Task<DeviceFiles> Furnish(House house)
    {
        var device = await house.Device("truck");
        await Made(house, "/thing-types/Truck", new { thingTypeProperties = new { thingTypeDescription = "Refrigerated truck", searchableAttributes = new[] { "site" } } });
        await Made(house, "/thing-groups/fleet", new { thingGroupProperties = new { thingGroupDescription = "All that drives" } });
        await Made(house, "/thing-groups/north", new { parentGroupName = "fleet" });
        foreach (var name in new[] { "truck-1", "truck-2", "truck-3" })
            await Made(house, "/things/" + name, new { thingTypeName = "Truck", attributePayload = new { attributes = new { site = "Bergen", model = "FX-" + name } } });
        Assert.Equal(200, (await house.Call(HttpMethod.Put, "/thing-groups/addThingToThingGroup", new { thingName = "truck-1", thingGroupName = "fleet" })).Status);
        return device;
    }

    static async Task Made(House house, string path, object body) => Assert.Equal(200, (await house.Call(HttpMethod.Post, path, body)).Status);
}
