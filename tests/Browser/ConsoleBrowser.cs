using Microsoft.Playwright;

namespace Althing.Tests.Browser;

/// <summary>A real browser, Debian's Chromium, signed in to a house's console. Set ALTHING_SCREENSHOTS to a folder to see what it saw.</summary>
sealed class ConsoleBrowser : IAsyncDisposable
{
    readonly House house;
    readonly IPlaywright playwright;
    readonly IBrowser browser;
    readonly List<string> errors = [];

    ConsoleBrowser(House house, IPlaywright playwright, IBrowser browser) => (this.house, this.playwright, this.browser) = (house, playwright, browser);

    volatile bool leaving;

    public IPage Page { get; private set; } = null!;

    /// <summary>What the pages' scripts complained of.</summary>
    public IReadOnlyList<string> Errors => errors;

    public static async Task<ConsoleBrowser> Open(House house, bool signIn = true, int width = 1440, int height = 900, ColorScheme scheme = ColorScheme.Light)
    {
        Tool.Need("chromium");
        var playwright = await Playwright.CreateAsync();
        // A machine that is busy with other tests is no fault of a page's.
        Assertions.SetDefaultExpectTimeout(30_000);
        var chromium = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(p => Path.Combine(p, "chromium")).First(File.Exists);
        var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = chromium, Args = ["--no-sandbox"] });
        var console = new ConsoleBrowser(house, playwright, browser);
        var context = await browser.NewContextAsync(new() { ViewportSize = new() { Width = width, Height = height }, ColorScheme = scheme });
        console.Page = await context.NewPageAsync();
        console.Page.SetDefaultTimeout(30_000);
        console.Page.PageError += (_, error) => console.Note(error);
        if (signIn)
            await console.SignIn(house.ConsolePassword);
        return console;
    }

    public async Task SignIn(string password)
    {
        await Go("/console");
        await Page.FillAsync("input[type=password]", password);
        await Page.ClickAsync("button[type=submit]");
    }

    public async Task Go(string path)
    {
        leaving = true;
        await Page.GotoAsync(new Uri(house.Endpoint, path).ToString());
        leaving = false;
    }

    /// <summary>A field that loses the focus because its page is left may tell a server that has let go of the page already.</summary>
    void Note(string error)
    {
        if (!leaving || !error.Contains("'DispatchEventAsync'", StringComparison.Ordinal))
            errors.Add(error);
    }

    /// <summary>Waits for a text on the page.</summary>
    public Task Sees(string text) => Assertions.Expect(Page.GetByText(text).First).ToBeVisibleAsync(new() { Timeout = 30_000 });

    public Task SeesHeading(string text) => Assertions.Expect(Page.Locator("h1", new() { HasText = text })).ToBeVisibleAsync(new() { Timeout = 30_000 });

    public async Task Shot(string name)
    {
        if (Environment.GetEnvironmentVariable("ALTHING_SCREENSHOTS") is { Length: > 0 } folder)
            await Page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png"), FullPage = true });
    }

    public async ValueTask DisposeAsync()
    {
        await browser.DisposeAsync();
        playwright.Dispose();
    }
}
