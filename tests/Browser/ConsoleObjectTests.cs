using System.Net;
using Microsoft.Playwright;

namespace Althing.Tests.Browser;

public class ConsoleObjectTests
{
    [Theory]
    [InlineData(1440)]
    [InlineData(390)]
    public async Task Objects_are_uploaded_looked_at_restored_and_deleted(int width)
    {
        await using var house = await House.Up();
        await using var browser = await ConsoleBrowser.Open(house, width: width, height: width > 800 ? 900 : 844, scheme: width > 800 ? ColorScheme.Light : ColorScheme.Dark);
        await browser.SeesHeading("Home");
        await browser.Go("/console/buckets");
        await browser.Sees("No buckets yet");
        await Press(browser, "Create bucket");
        await browser.Page.GetByRole(AriaRole.Textbox, new() { Name = "Name*" }).FillAsync("firmware");
        await browser.Page.GetByLabel("Keep older versions of objects").CheckAsync();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Create", Exact = true }).ClickAsync();
        await browser.SeesHeading("firmware");
        await browser.Sees("Nothing here yet");
        await browser.Sees("versions kept");
        await browser.Go("/console/buckets/firmware?prefix=pump%2F");
        await Upload(browser, "pump 2.1 ä.json", """{"version":"2.1"}""");
        await Upload(browser, "pump 2.1 ä.json", """{"version":"2.1b"}""");
        await browser.Page.GetByRole(AriaRole.Link, new() { Name = "firmware", Exact = true }).ClickAsync();
        await browser.Page.GetByRole(AriaRole.Link, new() { Name = "pump/" }).ClickAsync();
        await browser.Shot($"{width}-bucket");
        await browser.Page.GetByRole(AriaRole.Link, new() { Name = "pump 2.1 ä.json" }).ClickAsync();
        await browser.SeesHeading("pump 2.1 ä.json");
        await browser.Sees("\"version\": \"2.1b\"");
        await browser.Page.GetByLabel("Tags").FillAsync("stage=beta");
        await Press(browser, "Save tags");
        await browser.Sees("The tags were saved.");
        var download = await browser.Page.RunAndWaitForDownloadAsync(() => browser.Page.GetByRole(AriaRole.Link, new() { Name = "Download", Exact = true }).ClickAsync());
        Assert.Equal("""{"version":"2.1b"}""", await File.ReadAllTextAsync(await download.PathAsync()));
        Assert.Equal("pump 2.1 ä.json", download.SuggestedFilename);
        await Press(browser, "Make link");
        var link = browser.Page.Locator("code", new() { HasText = "X-Amz-Signature" });
        await Assertions.Expect(link).ToBeVisibleAsync();
        using var anybody = new HttpClient();
        Assert.Equal("""{"version":"2.1b"}""", await anybody.GetStringAsync(await link.InnerTextAsync()));
        await browser.Shot($"{width}-object");
        await Fits(browser);
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Restore version" }).ClickAsync();
        await browser.Sees("\"version\": \"2.1\"");
        await Press(browser, "Delete");
        await Press(browser, "Delete object");
        await browser.Sees("delete marker");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Remove delete marker" }).ClickAsync();
        await browser.Sees("\"version\": \"2.1\"");
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task Uploads_in_progress_are_seen_and_aborted()
    {
        await using var house = await House.Up();
        Assert.Equal(200, (await house.Call(HttpMethod.Put, "/firmware", null, "s3")).Status);
        // It begins, and answers in XML.
        await Assert.ThrowsAnyAsync<System.Text.Json.JsonException>(() => house.Call(HttpMethod.Post, "/firmware/big.bin?uploads", null, "s3"));
        await using var browser = await ConsoleBrowser.Open(house);
        await browser.SeesHeading("Home");
        await browser.Go("/console/buckets/firmware");
        await browser.Sees("Multipart uploads in progress");
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Abort the upload of big.bin" }).ClickAsync();
        await Press(browser, "Abort upload");
        await Assertions.Expect(browser.Page.GetByText("Multipart uploads in progress")).ToHaveCountAsync(0);
        await Press(browser, "Delete");
        await Press(browser, "Delete bucket");
        await browser.Sees("No buckets yet");
        Assert.Empty(browser.Errors);
    }

    [Fact]
    public async Task The_browsers_door_wants_the_sign_in_and_a_pages_ticket()
    {
        await using var house = await House.Up();
        Assert.Equal(200, (await house.Call(HttpMethod.Put, "/firmware", null, "s3")).Status);
        using var nobody = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync(new Uri(house.Endpoint, "/console/door/s3?bucket=firmware&key=a"))).StatusCode);
        await using var browser = await ConsoleBrowser.Open(house);
        await browser.SeesHeading("Home");
        await browser.Go("/console/buckets/firmware");
        await Upload(browser, "page.html", "<script>parent.document</script>");
        var status = await browser.Page.EvaluateAsync<int>("() => fetch('/console/door/s3?bucket=firmware&key=forged', { method: 'PUT', body: 'x' }).then(r => r.status)");
        Assert.Equal(403, status);
        await browser.Page.GetByRole(AriaRole.Link, new() { Name = "page.html" }).ClickAsync();
        await browser.SeesHeading("page.html");
        // Pages that somebody uploads must not act as pages of the console.
        var address = await browser.Page.GetByRole(AriaRole.Link, new() { Name = "Download", Exact = true }).GetAttributeAsync("href");
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync(new Uri(house.Endpoint, address!))).StatusCode);
        var headers = await browser.Page.EvaluateAsync<string[]>(
            "a => fetch(a).then(r => ['content-disposition', 'content-security-policy', 'x-content-type-options'].map(h => r.headers.get(h)))", address);
        Assert.StartsWith("attachment", headers[0], StringComparison.Ordinal);
        Assert.StartsWith("sandbox", headers[1], StringComparison.Ordinal);
        Assert.Equal("nosniff", headers[2]);
    }

    static async Task Upload(ConsoleBrowser browser, string name, string text)
    {
        await browser.Page.Locator("input[type=file]").SetInputFilesAsync(new FilePayload { Name = name, MimeType = name.EndsWith("json", StringComparison.Ordinal) ? "application/json" : "text/html", Buffer = System.Text.Encoding.UTF8.GetBytes(text) });
        await Assertions.Expect(browser.Page.Locator(".drop li").Filter(new() { HasText = name }).GetByText($"{System.Text.Encoding.UTF8.GetByteCount(text)} B", new() { Exact = true })).ToBeVisibleAsync();
        await browser.Page.GetByRole(AriaRole.Button, new() { Name = "Clear" }).ClickAsync();
    }

    static Task Press(ConsoleBrowser browser, string button) => browser.Page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();

    static async Task Fits(ConsoleBrowser browser) =>
        Assert.True(await browser.Page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"), "The page is wider than its window.");
}
