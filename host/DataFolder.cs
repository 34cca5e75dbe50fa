using Althing.Storage;

namespace Althing.Host;

/// <summary>Where a command finds the platform's data, and the platform if one runs on it.</summary>
static class DataFolder
{
    /// <summary>Holds the address of the platform that runs on the folder, for the other commands.</summary>
    const string RunningFile = "running";

    public static readonly Option Option = new("data", "DIR", "The data folder. Default: ./data");
    public static readonly Option PostgreSql = new("postgres", "CONNECTION", "Keep tables and journals in PostgreSQL. Also: ALTHING_POSTGRES");

    public static string Of(Arguments arguments) => Path.GetFullPath(arguments.Get("data") ?? "data");

    public static StorageOptions Storage(Arguments arguments) => new()
    {
        Folder = Of(arguments),
        PostgreSql = arguments.Get("postgres") ?? Environment.GetEnvironmentVariable("ALTHING_POSTGRES"),
    };

    public static void SayRunning(string folder, int httpPort) => File.WriteAllText(Path.Combine(folder, RunningFile), $"http://127.0.0.1:{httpPort}\n");

    public static void SayStopped(string folder) => File.Delete(Path.Combine(folder, RunningFile));

    /// <summary>Null when the platform has not said it yet. Only to be believed while the folder is locked: a killed process leaves it.</summary>
    public static Uri? AddressOfRunning(string folder) =>
        File.Exists(Path.Combine(folder, RunningFile)) && Uri.TryCreate(File.ReadAllText(Path.Combine(folder, RunningFile)).Trim(), UriKind.Absolute, out var address) ? address : null;
}
