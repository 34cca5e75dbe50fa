using Althing.Design;
using Microsoft.AspNetCore.Components;

namespace Althing.Core.Console;

/// <summary>A page of the registry: it loads again whenever what it shows was changed by anybody.</summary>
public abstract class RegistryPage : LivePage
{
    [Inject] internal RegistryChanges Changes { get; set; } = null!;

    /// <summary>The kinds of resources whose changes the page shows.</summary>
    protected virtual IReadOnlyList<RegistryResource> Shows => [];

    protected override Task OnInitializedAsync()
    {
        Changes.Changed += Changed;
        return base.OnInitializedAsync();
    }

    void Changed(RegistryChange change)
    {
        if (change.Account == Session.Account && Shows.Contains(change.Resource))
            Reload();
    }

    protected override void Dispose(bool disposing)
    {
        Changes.Changed -= Changed;
        base.Dispose(disposing);
    }
}
