using Microsoft.Playwright;

namespace Althing.Tests.Browser;

/// <summary>What a device's owner does in the console: certificates, policies, and whether they allow what they should.</summary>
public class ConsoleDeviceTests
{
    [Fact]
    public async Task A_certificates_private_key_is_offered_once()
    {
        await using var house = await House.Up();
        await using var browser = await ConsoleBrowser.Open(house);
        await browser.SeesHeading("Home");
        await browser.Go("/console/certificates");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Create certificate" }).ClickAsync();
        await browser.Sees("Download now: the private key is not kept");
        var download = await browser.Page.RunAndWaitForDownloadAsync(() => browser.Page.GetByRole(AriaRole.Button, new() { Name = "Private key" }).ClickAsync());
        Assert.Equal("private.key", download.SuggestedFilename);
        Assert.StartsWith("-----BEGIN ", await File.ReadAllTextAsync(await download.PathAsync(), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await browser.Go("/console/certificates");
        await browser.Sees("active");
        await Assertions.Expect(browser.Page.GetByRole(AriaRole.Button, new() { Name = "Private key" })).ToHaveCountAsync(0);
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task The_policy_editor_names_the_place_of_a_mistake_as_one_types()
    {
        await using var house = await House.Up();
        await using var browser = await ConsoleBrowser.Open(house);
        await browser.SeesHeading("Home");
        await browser.Go("/console/policies/new");
        var editor = browser.Page.GetByLabel("Policy document");
        await Assertions.Expect(editor).ToHaveValueAsync(new System.Text.RegularExpressions.Regex("iot:Connect"));
        await editor.FillAsync("{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [ { \"Effect\": \"Perhaps\", \"Action\": \"iot:Connect\", \"Resource\": \"*\" } ]\n}");
        await browser.Sees("line 3, column");
        await Assertions.Expect(browser.Page.GetByRole(AriaRole.Button, new() { Name = "Create", Exact = true })).ToBeDisabledAsync();
        await editor.FillAsync("{ \"Version\": \"2012-10-17\", \"Statement\": [ { \"Effect\": \"Allow\", \"Action\": \"iot:Connect\", \"Resource\": \"*\" } ] }");
        await browser.Page.GetByRole(AriaRole.Textbox, new() { Name = "Name*" }).FillAsync("connect-only");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Create", Exact = true }).ClickAsync();
        await browser.SeesHeading("connect-only");
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task The_tester_says_what_a_policy_allows_and_what_it_does_not()
    {
        await using var house = await House.Up();
        const string document = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Publish","Resource":"*"},{"Effect":"Deny","Action":"iot:Publish","Resource":"arn:aws:iot:*:*:topic/secret"}]}""";
        Assert.Equal(200, (await house.Call(HttpMethod.Post, "/policies/publisher", new { policyDocument = document })).Status);
        var (_, certificate) = await house.Call(HttpMethod.Post, "/keys-and-certificate?setAsActive=true");
        Assert.Equal(200, (await house.Call(HttpMethod.Put, "/target-policies/publisher", new { target = (string?)certificate["certificateArn"] })).Status);
        await using var browser = await ConsoleBrowser.Open(house);
        await browser.SeesHeading("Home");
        await browser.Go("/console/policy-tester");
        await browser.SeesHeading("May this device do that?");
        await browser.Page.GetByLabel("Certificate", new() { Exact = true }).First.ClickAsync();
        await browser.Page.Locator(".mud-popover-open .mud-list-item").First.ClickAsync();
        // The choice counts from the moment the field shows it.
        await Assertions.Expect(browser.Page.GetByRole(AriaRole.Combobox, new() { Name = "Certificate", Exact = true })).ToContainTextAsync("(active)", new() { Timeout = 30_000 });
        await browser.Page.GetByLabel("Topic", new() { Exact = true }).FillAsync("plant/1");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Ask" }).ClickAsync();
        await browser.Sees("Allowed by publisher, and denied by none.");
        await browser.Page.GetByLabel("Topic", new() { Exact = true }).FillAsync("secret");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Ask" }).ClickAsync();
        await browser.Sees("A statement of publisher denies it.");
        Assert.Empty(browser.Errors);
    }
}
