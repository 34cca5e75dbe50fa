using Microsoft.Playwright;

namespace Althing.Tests.Browser;

/// <summary>What is true of every page, on a desk and on a phone.</summary>
public class ConsolePageTests
{
    static readonly (string Path, string Heading)[] Pages =
    [
        ("", "Home"), ("/connections", "Connections"), ("/things", "Things"), ("/things/pump-1", "pump-1"), ("/things/pump-1/shadow", "Classic shadow"), ("/thing-groups", "Thing groups"),
        ("/thing-groups/hall", "hall"), ("/thing-types", "Thing types"), ("/billing-groups", "Billing groups"), ("/billing-groups/cooling", "cooling"),
        ("/certificates", "Certificates"), ("/ca-certificates", "CA certificates"), ("/policies", "Policies"), ("/policies/new", "Write a policy"),
        ("/policies/reader", "reader"), ("/policy-tester", "May this device do that?"), ("/mqtt", "MQTT test client"), ("/subscriptions", "Subscriptions"),
        ("/retained", "Retained messages"), ("/traffic", "Traffic"), ("/trace", "Packet trace"), ("/why", "Who got it?"),
        ("/provisioning-templates", "Provisioning templates"), ("/provisioning-templates/new", "Create a template"), ("/registration-tasks", "Bulk registration"),
        ("/certificate-providers", "Certificate providers"), ("/role-aliases", "Role aliases"), ("/buckets", "Buckets"), ("/buckets/firmware", "firmware"), ("/no-such-page", "Not here"),
    ];

    // Buttons, links and fields that a screen reader could not name.
    const string Unnamed = """
        () => [...document.querySelectorAll('button, a, input, textarea')].filter(e => e.offsetParent && !(e.innerText || '').trim()
            && !e.getAttribute('aria-label') && !e.title && !(e.labels && e.labels.length) && !e.getAttribute('aria-labelledby')).map(e => e.outerHTML.slice(0, 200))
        """;

    [Theory]
    [InlineData(1440, 900, ColorScheme.Light)]
    [InlineData(390, 844, ColorScheme.Dark)]
    public async Task Every_page_fits_the_screen_and_names_its_controls(int width, int height, ColorScheme scheme)
    {
        await using var house = await House.Up();
        await Furnish(house);
        await using var browser = await ConsoleBrowser.Open(house, width: width, height: height, scheme: scheme);
        await browser.SeesHeading("Home");
        foreach (var (path, heading) in Pages)
        {
            await browser.Go("/console" + path);
            await browser.SeesHeading(heading);
            await Assertions.Expect(browser.Page.Locator(".skeleton")).ToHaveCountAsync(0);
            await browser.Shot($"{width}{path.Replace('/', '-')}");
            Assert.True(await browser.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"), $"{path} is wider than {width} pixels");
            Assert.Empty(await browser.Page.EvaluateAsync<string[]>(Unnamed));
            await Assertions.Expect(browser.Page.GetByText("This could not be loaded.")).ToHaveCountAsync(0);
        }
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task The_keyboard_alone_finds_and_opens_a_thing_and_its_neighbour()
    {
        await using var house = await House.Up();
        await Furnish(house);
        await using var browser = await ConsoleBrowser.Open(house);
        await browser.SeesHeading("Home");
        await Open(browser, "pump-1");
        await browser.SeesHeading("pump-1");
        await Open(browser, "pump-2");
        await browser.SeesHeading("pump-2");
        await browser.Sees("thing/pump-2");
        Assert.Empty(browser.Errors);
    }

    static async Task Open(ConsoleBrowser browser, string name)
    {
        await browser.Page.Keyboard.PressAsync("Control+k");
        await browser.Page.GetByLabel("Search things, groups, certificates, policies and pages").FillAsync(name);
        await browser.Sees($"1 found, {name} chosen.");
        await browser.Page.Keyboard.PressAsync("Enter");
    }

    static async Task Furnish(House house)
    {
        const string document = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}]}""";
        foreach (var (path, body) in new (string, object?)[]
        {
            ("/thing-types/pump", null), ("/billing-groups/cooling", null), ("/thing-groups/plant", null), ("/thing-groups/hall", new { parentGroupName = "plant" }),
            ("/things/pump-1", new { thingTypeName = "pump", billingGroupName = "cooling" }), ("/things/pump-2", null), ("/policies/reader", new { policyDocument = document }),
            ("/keys-and-certificate", null),
        })
            Assert.Equal(200, (await house.Call(HttpMethod.Post, path, body)).Status);
        Assert.Equal(200, (await house.Call(HttpMethod.Put, "/firmware", null, "s3")).Status);
    }
}
