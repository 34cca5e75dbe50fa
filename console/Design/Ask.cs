using MudBlazor;

namespace Althing.Design;

/// <summary>Asks before something that cannot be undone.</summary>
public static class Ask
{
    public static async Task<bool> ToConfirm(this IDialogService dialogs, string title, string text, string act)
    {
        var parameters = new DialogParameters<ConfirmDialog> { { d => d.Text, text }, { d => d.Act, act } };
        var dialog = await dialogs.ShowAsync<ConfirmDialog>(title, parameters, new DialogOptions { MaxWidth = MaxWidth.ExtraSmall, FullWidth = true, CloseOnEscapeKey = true });
        return await dialog.Result is { Canceled: false };
    }
}
