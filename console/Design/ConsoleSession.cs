using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Api;
using Althing.Identity;
using Althing.Storage;
using MudBlazor;

namespace Althing.Design;

/// <summary>
/// The signed-in administrator at work in one browser tab: which account and region, and calls of operations in their name, just as a
/// client's calls would be answered.
/// </summary>
public sealed class ConsoleSession(ApiClient api, ISnackbar notices, ConsoleDefaults defaults)
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    static readonly PolicyDocument Everything =
        PolicyDocument.Parse("""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}""", PolicyKind.Identity);

    /// <summary>Told when account or region changed: pages load anew.</summary>
    public event Action? Changed;

    public AccountId Account { get; private set; } = defaults.Account;
    public string Region { get; private set; } = defaults.Region;

    public void Choose(AccountId account, string region)
    {
        (Account, Region) = (account, region);
        Changed?.Invoke();
    }

    public Caller Caller => CallerOf(Account, Region);

    /// <summary>The signed-in administrator as the caller of operations.</summary>
    internal static Caller CallerOf(AccountId account, string region) => new()
    {
        Account = account,
        Arn = $"arn:aws:iam::{account}:user/console",
        UserId = "console",
        Kind = CallerKind.Console,
        Region = region,
        Policies = [Everything],
    };

    /// <exception cref="ServiceException">The operation refused.</exception>
    public async Task<JsonObject> Call(string apiName, string operation, object? request = null) =>
        await api.Call(Caller, apiName, operation, request, CancellationToken.None);

    /// <summary>Calls an operation whose answer has content. The caller disposes it.</summary>
    /// <exception cref="ServiceException">The operation refused.</exception>
    public async Task<StreamedAnswer> Open(string apiName, string operation, object? request) =>
        await api.Stream(Caller, apiName, operation, request, null, CancellationToken.None);

    /// <exception cref="ServiceException">The operation refused.</exception>
    public async Task<T> Call<T>(string apiName, string operation, object? request = null) =>
        (await Call(apiName, operation, request)).Deserialize<T>(Json)!;

    /// <summary>Acts on an operation's success, or says why it was refused; answers which.</summary>
    public async Task<bool> Try(Func<Task> act, string? success = null)
    {
        try
        {
            await act();
            if (success is not null)
                notices.Add(success, Severity.Success);
            return true;
        }
        catch (ServiceException refusal)
        {
            notices.Add(refusal.Message, Severity.Error);
            return false;
        }
    }
}

/// <summary>The account and region that the console opens with.</summary>
public sealed record ConsoleDefaults(AccountId Account, string Region);

/// <summary>A service's pages: registered by the service, shown by the shell.</summary>
/// <param name="Assembly">Where the routable components are.</param>
public sealed record ConsoleModule(string Title, System.Reflection.Assembly Assembly, IReadOnlyList<NavigationEntry> Entries)
{
    /// <summary>Finds resources by a text for the search box; null when the service has nothing to find.</summary>
    public Func<IServiceProvider, ConsoleSession, string, Task<IReadOnlyList<SearchHit>>>? Search { get; init; }

    /// <summary>Maps addresses beside the pages, such as those that files are downloaded from. They need the sign-in like any page.</summary>
    public Action<Microsoft.AspNetCore.Routing.IEndpointRouteBuilder>? Map { get; init; }

    /// <summary>What the service knows of one thing: links for the thing's page, whose <c>{thing}</c> is its name.</summary>
    public IReadOnlyList<NavigationEntry> OfThing { get; init; } = [];
}

public sealed record NavigationEntry(string Title, string Path, string Icon);

public sealed record SearchHit(string Kind, string Name, string Path, string Icon);
