using System.Runtime.CompilerServices;

namespace Althing.Tests.Tidy;

/// <summary>The source tree as the tidy tests see it.</summary>
static class Repository
{
    static readonly string[] SkippedFolders = ["artifacts", ".git", "node_modules", "data", "bin", "obj", "TestResults"];

    public static string Root { get; } = FindRoot();

    /// <summary>The data of the API models, beside the checkout where the build runs; null on a user's machine.</summary>
    public static string? Shared { get; } = Path.Combine(Root, "..", "shared") is var path && Directory.Exists(path) ? Path.GetFullPath(path) : null;

    public static IEnumerable<string> Files(params string[] endings) => Walk(Root).Where(f => endings.Any(e => f.EndsWith(e, StringComparison.Ordinal)));

    public static string Relative(string file) => Path.GetRelativePath(Root, file).Replace('\\', '/');

    static IEnumerable<string> Walk(string folder) =>
        Directory.EnumerateFiles(folder).Concat(
            Directory.EnumerateDirectories(folder).Where(d => !SkippedFolders.Contains(Path.GetFileName(d))).SelectMany(Walk));

    static string FindRoot([CallerFilePath] string here = "")
    {
        // The path of this file at build time holds for a build in place; a moved build walks up from where it runs.
        foreach (var start in new[] { Path.GetDirectoryName(here)!, AppContext.BaseDirectory })
        {
            for (var folder = start; folder is not null; folder = Path.GetDirectoryName(folder))
            {
                if (File.Exists(Path.Combine(folder, "Althing.slnx")))
                    return folder;
            }
        }
        throw new InvalidOperationException("Althing.slnx was not found above the tests.");
    }
}
