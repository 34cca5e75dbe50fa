using Microsoft.Playwright;

namespace Althing.Tests.Browser;

public class ConsoleProvisioningTests
{
    [Theory]
    [InlineData(1440)]
    [InlineData(390)]
    public async Task A_template_is_written_changed_and_claimed(int width)
    {
        await using var house = await House.Up();
        await using var browser = await ConsoleBrowser.Open(house, width: width, height: width > 800 ? 900 : 844, scheme: width > 800 ? ColorScheme.Light : ColorScheme.Dark);
        await browser.SeesHeading("Home");
        await browser.Go("/console/provisioning-templates");
        await browser.Sees("No templates yet");
        await browser.Page.GetByRole(AriaRole.Link, new() { Name = "Create template" }).ClickAsync();
        await browser.Page.GetByRole(AriaRole.Textbox, new() { Name = "Name*" }).FillAsync("pumps");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Make a role for this" }).ClickAsync();
        await browser.Sees("The role althing-provisioning was made.");
        var editor = browser.Page.GetByLabel("Template body");
        await Assertions.Expect(editor).ToHaveValueAsync(new System.Text.RegularExpressions.Regex("SerialNumber"));
        var sample = await editor.InputValueAsync();
        await editor.FillAsync(sample.Replace("{ \"Fn::Sub\": \"device-${SerialNumber}\" }", "{ \"Ref\": \"Nothing\" }", StringComparison.Ordinal));
        await browser.Sees("line 9");
        await Assertions.Expect(browser.Page.GetByRole(AriaRole.Button, new() { Name = "Create", Exact = true })).ToBeDisabledAsync();
        await browser.Shot($"{width}-new-template");
        await editor.FillAsync(sample);
        await Press(browser, "Create");
        await browser.SeesHeading("pumps");
        await browser.Sees("enabled");
        await editor.FillAsync(sample.Replace("device-", "pump-", StringComparison.Ordinal));
        await Press(browser, "Save as new default version");
        await browser.Sees("Body, version 2");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Make default" }).ClickAsync();
        await browser.Sees("Version 1 is in use.");
        await Press(browser, "Make a claim for five minutes");
        await browser.Sees("The claim expires at");
        var download = await browser.Page.RunAndWaitForDownloadAsync(() => Press(browser, "Private key"));
        Assert.Contains("PRIVATE KEY-----", await File.ReadAllTextAsync(await download.PathAsync()), StringComparison.Ordinal);
        await browser.Shot($"{width}-template");
        Assert.True(await browser.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"), "The page is wider than its window.");
        await Press(browser, "Disable");
        await browser.Sees("The template must be enabled before a device can use it.");
        await Press(browser, "Delete");
        await Press(browser, "Delete template");
        await browser.Sees("No templates yet");
        Assert.Empty(browser.Errors);
    }

    [Theory]
    [InlineData(1440)]
    [InlineData(390)]
    public async Task Things_are_registered_by_a_file_from_the_browser(int width)
    {
        await using var house = await House.Up();
        await using var browser = await ConsoleBrowser.Open(house, width: width, height: width > 800 ? 900 : 844);
        await browser.SeesHeading("Home");
        await browser.Go("/console/registration-tasks");
        await Press(browser, "Start a task");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Make a bucket" }).ClickAsync();
        await browser.Sees("was made.");
        await browser.Page.Locator("input[type=file]").SetInputFilesAsync(new FilePayload
        {
            Name = "pumps.json",
            MimeType = "application/json",
            Buffer = "{\"SerialNumber\":\"7\"}\n{\"SerialNumber\":\"8\",\"Site\":\"Bergen\"}\nbroken\n"u8.ToArray(),
        });
        await Assertions.Expect(browser.Page.GetByLabel("Key of the file")).ToHaveValueAsync("registration/pumps.json");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Make a role for this" }).ClickAsync();
        await browser.Sees("The role bulk-");
        await browser.Shot($"{width}-new-task");
        await Press(browser, "Start");
        await browser.SeesHeading("registration/pumps.json");
        await browser.Sees("2 registered, 1 failed.");
        await browser.Sees("device-8");
        await browser.Shot($"{width}-task");
        Assert.True(await browser.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"), "The page is wider than its window.");
        var download = await browser.Page.RunAndWaitForDownloadAsync(() => browser.Page.GetByRole(AriaRole.Link, new() { Name = "Download Results" }).ClickAsync());
        Assert.Contains("device-7", await File.ReadAllTextAsync(await download.PathAsync()), StringComparison.Ordinal);
        Assert.Equal(200, (await house.Call(HttpMethod.Get, "/things/device-8")).Status);
        await browser.Go("/console/registration-tasks");
        await browser.Sees("completed");
        await browser.Shot($"{width}-tasks");
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task Role_aliases_and_the_certificate_provider_are_made_changed_and_deleted()
    {
        await using var house = await House.Up();
        await using var browser = await ConsoleBrowser.Open(house);
        await browser.SeesHeading("Home");
        await browser.Go("/console/role-aliases");
        await Press(browser, "Create role alias");
        await browser.Page.GetByRole(AriaRole.Textbox, new() { Name = "Name*" }).FillAsync("uploads");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Make a role for this" }).ClickAsync();
        await browser.Sees("The role althing-devices was made.");
        await Press(browser, "Create");
        await browser.SeesHeading("uploads");
        await browser.Sees("/role-aliases/uploads/credentials");
        await browser.Shot("role-alias");
        await Press(browser, "Delete");
        await Press(browser, "Delete role alias");
        await browser.Sees("No role aliases yet");
        await browser.Go("/console/certificate-providers");
        await Press(browser, "Create provider");
        await browser.Page.GetByRole(AriaRole.Textbox, new() { Name = "Name*" }).FillAsync("factory");
        await browser.Page.GetByRole(AriaRole.Textbox, new() { Name = "Function*" }).FillAsync("https://factory.example.com/sign");
        await Press(browser, "Save");
        await browser.Sees("certificateprovider/factory");
        await browser.Shot("certificate-provider");
        await Press(browser, "Delete");
        await Press(browser, "Delete provider");
        await browser.Sees("No provider");
        Assert.Empty(browser.Errors);
    }

    static Task Press(ConsoleBrowser browser, string button) => browser.Page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();
}
