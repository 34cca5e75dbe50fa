namespace Althing.Host;

/// <summary>Where a command finds the platform's data.</summary>
static class DataFolder
{
    public static readonly Option Option = new("data", "DIR", "The data folder. Default: ./data");

    public static string Of(Arguments arguments) => Path.GetFullPath(arguments.Get("data") ?? "data");
}
