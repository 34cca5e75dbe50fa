using System.Security.Claims;
using Althing.Design;
using Althing.Identity;
using Althing.Storage;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using MudBlazor.Services;

namespace Althing.Shell;

/// <summary>The web console: its services and its addresses, all under <c>/console</c>.</summary>
public static class ConsoleHost
{
    const string SignInPath = "/console/sign-in";

    /// <summary>How long a sign-in lasts without being used.</summary>
    static readonly TimeSpan SessionTime = TimeSpan.FromHours(12);

    /// <summary>Needs <see cref="ConsolePassword"/>, <see cref="IStore"/> and an <c>ApiClient</c>; services add their pages as <see cref="ConsoleModule"/>.</summary>
    /// <param name="dataFolder">Where the keys of the sign-in cookie are kept, so that a restart signs nobody out.</param>
    public static IServiceCollection AddConsole(this IServiceCollection services, string dataFolder)
    {
        services.AddRazorComponents().AddInteractiveServerComponents(o => o.DisconnectedCircuitMaxRetained = 20);
        services.AddMudServices(o => o.SnackbarConfiguration.PositionClass = Defaults.Classes.Position.BottomRight);
        services.AddDataProtection().SetApplicationName("althing").PersistKeysToFileSystem(new DirectoryInfo(Path.Combine(dataFolder, "console-keys")));
        services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(o =>
        {
            (o.Cookie.Name, o.Cookie.HttpOnly, o.Cookie.SameSite) = ("althing-console", true, SameSiteMode.Strict);
            (o.ExpireTimeSpan, o.SlidingExpiration) = (SessionTime, true);
            (o.LoginPath, o.ReturnUrlParameter) = (SignInPath, "returnTo");
            // A script that sends a file must hear that the sign-in is over, not follow it to a page.
            o.Events.OnRedirectToLogin = Refer;
        });
        services.AddAuthorization();
        services.AddCascadingAuthenticationState();
        services.AddHttpContextAccessor();
        services.AddScoped<ConsoleSession>();
        services.AddSingleton<ConsoleTickets>();
        services.AddSingleton<ConsoleAccounts>();
        return services;
    }

    /// <summary>Maps pages, sign-in and sign-out. Every page needs the sign-in.</summary>
    public static void MapConsole(this WebApplication app)
    {
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
        app.MapStaticAssets().AllowAnonymous();
        app.MapGet("/", () => Results.Redirect("/console"));
        app.MapGet(SignInPath, (string? returnTo) => Page(returnTo, wrong: false)).AllowAnonymous();
        app.MapPost(SignInPath, SignIn).AllowAnonymous();
        app.MapPost("/console/sign-out", SignOut);
        var doors = app.MapGroup("").RequireAuthorization();
        foreach (var module in app.Services.GetServices<ConsoleModule>())
            module.Map?.Invoke(doors);
        var modules = app.Services.GetServices<ConsoleModule>().Select(m => m.Assembly).Distinct().ToArray();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode().AddAdditionalAssemblies(modules).RequireAuthorization();
    }

    static Task Refer(RedirectContext<CookieAuthenticationOptions> context)
    {
        if (context.Request.Path.StartsWithSegments(ConsoleTickets.DoorPath, StringComparison.Ordinal))
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        else
            context.Response.Redirect(context.RedirectUri);
        return Task.CompletedTask;
    }

    static async Task<IResult> SignIn(HttpContext http, ConsolePassword passwords, [FromForm] string? password, [FromForm] string? returnTo)
    {
        if (!await Task.Run(() => passwords.Check(password ?? "")))
            return Page(returnTo, wrong: true);
        var identity = new ClaimsIdentity([new(ClaimTypes.Name, "administrator")], CookieAuthenticationDefaults.AuthenticationScheme);
        await http.SignInAsync(new ClaimsPrincipal(identity));
        return Results.LocalRedirect(Safe(returnTo));
    }

    static async Task<IResult> SignOut(HttpContext http, [FromForm] string? unused)
    {
        _ = unused;
        await http.SignOutAsync();
        return Results.LocalRedirect(SignInPath);
    }

    static RazorComponentResult<SignInPage> Page(string? returnTo, bool wrong) =>
        new(new Dictionary<string, object?> { ["Wrong"] = wrong, ["ReturnTo"] = Safe(returnTo) }) { StatusCode = wrong ? StatusCodes.Status401Unauthorized : StatusCodes.Status200OK };

    // Only into the console, never to another site.
    static string Safe(string? path) => path is not null && path.StartsWith("/console", StringComparison.Ordinal) && !path.Contains("//", StringComparison.Ordinal) ? path : "/console";
}

/// <summary>The accounts that the administrator may choose among.</summary>
public sealed class ConsoleAccounts(IStore store)
{
    public async Task<IReadOnlyList<AccountId>> List(CancellationToken cancel) =>
        [.. (await store.Scan(Account.Table, AccountId.Platform, new() { Limit = 1000 }, cancel)).Select(a => a.Value.Id).OrderBy(a => a.Value, StringComparer.Ordinal)];
}
