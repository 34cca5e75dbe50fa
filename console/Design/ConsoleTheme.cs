using MudBlazor;

namespace Althing.Design;

/// <summary>Colours and type of the console, light and dark. Fonts are the system's own: the console works without internet.</summary>
public static class ConsoleTheme
{
    static readonly string[] Sans = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"];

    public static MudTheme Theme { get; } = new()
    {
        PaletteLight = new PaletteLight()
        {
            Primary = "#0b6e69",
            Secondary = "#8a5a00",
            Background = "#f6f8f8",
            Surface = "#ffffff",
            AppbarBackground = "#ffffff",
            AppbarText = "#1c2b2d",
            DrawerBackground = "#ffffff",
            DrawerText = "#33474a",
            DrawerIcon = "#5b7174",
            TextPrimary = "#1c2b2d",
            TextSecondary = "#54686b",
            ActionDefault = "#54686b",
            LinesDefault = "#dfe6e7",
            TableLines = "#e6ecec",
            Divider = "#e1e8e8",
            Success = "#1c7c3c",
            Warning = "#a15c00",
            Error = "#b3261e",
            Info = "#1f5fa8",
        },
        PaletteDark = new PaletteDark()
        {
            Primary = "#4fc3b8",
            PrimaryContrastText = "#06201e",
            Secondary = "#e0b45c",
            Background = "#11191a",
            Surface = "#182223",
            AppbarBackground = "#182223",
            AppbarText = "#e3ebeb",
            DrawerBackground = "#182223",
            DrawerText = "#c3d0d1",
            DrawerIcon = "#8fa3a5",
            TextPrimary = "#e3ebeb",
            TextSecondary = "#9db0b2",
            ActionDefault = "#9db0b2",
            LinesDefault = "#2b393b",
            TableLines = "#263335",
            Divider = "#2b393b",
            Success = "#6ecb8b",
            Warning = "#f0b45a",
            Error = "#f2938c",
            Info = "#86b6ee",
        },
        Typography = new()
        {
            Default = new DefaultTypography { FontFamily = Sans, FontSize = ".9rem" },
            H4 = new H4Typography { FontFamily = Sans, FontSize = "1.5rem", FontWeight = "600", LetterSpacing = "-.01em" },
            H5 = new H5Typography { FontFamily = Sans, FontSize = "1.15rem", FontWeight = "600" },
            H6 = new H6Typography { FontFamily = Sans, FontSize = "1rem", FontWeight = "600" },
            Button = new ButtonTypography { FontFamily = Sans, FontSize = ".875rem", FontWeight = "600", TextTransform = "none" },
        },
        LayoutProperties = new() { DefaultBorderRadius = "8px", DrawerWidthLeft = "232px", AppbarHeight = "56px" },
    };
}
