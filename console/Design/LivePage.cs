using Althing.Api;
using Microsoft.AspNetCore.Components;

namespace Althing.Design;

/// <summary>A page that loads by calling operations, and again when another account is chosen or whoever knows better says so.</summary>
public abstract class LivePage : ComponentBase, IDisposable
{
    /// <summary>Changes come in bursts: one load answers all that came within this time.</summary>
    static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(150);

    ITimer? reload, again;
    bool pending;

    [Inject] public ConsoleSession Session { get; set; } = null!;
    [Inject] public NavigationManager Navigation { get; set; } = null!;
    [Inject] public TimeProvider Clock { get; set; } = null!;

    /// <summary>How often to look again at what nobody tells the changes of; null for what is told.</summary>
    protected virtual TimeSpan? LoadsEvery => null;

    protected bool Ready { get; private set; }
    protected string? Error { get; private set; }

    /// <summary>Reads what the page shows.</summary>
    protected virtual Task Load() => Task.CompletedTask;

    protected override Task OnInitializedAsync()
    {
        Session.Changed += Reload;
        if (LoadsEvery is { } period)
            again = Clock.CreateTimer(_ => Reload(), null, period, period);
        return Refresh();
    }

    protected async Task Refresh()
    {
        try
        {
            await Load();
            (Ready, Error) = (true, null);
        }
        catch (ServiceException refusal)
        {
            Error = refusal.Message;
        }
    }

    /// <summary>Loads again soon; from any thread.</summary>
    protected void Reload()
    {
        if (Interlocked.Exchange(ref pending, true))
            return;
        reload?.Dispose();
        reload = Clock.CreateTimer(_ => InvokeAsync(async () =>
        {
            Volatile.Write(ref pending, false);
            await Refresh();
            StateHasChanged();
        }), null, Settle, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Seconds since 1970, as operations answer times, for people.</summary>
    protected static string When(double? seconds) =>
        seconds is { } s ? DateTimeOffset.FromUnixTimeMilliseconds((long)(s * 1000)).ToString("yyyy-MM-dd HH:mm 'UTC'", System.Globalization.CultureInfo.InvariantCulture) : "";

    protected static string Segment(string name) => Uri.EscapeDataString(name);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        Session.Changed -= Reload;
        again?.Dispose();
        reload?.Dispose();
    }
}
