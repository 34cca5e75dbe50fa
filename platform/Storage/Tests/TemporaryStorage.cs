using Althing.Storage;

namespace Althing.Tests;

/// <summary>A fresh data folder that goes with the test.</summary>
public sealed class TemporaryStorage : IAsyncDisposable
{
    readonly DirectoryInfo folder;
    readonly StorageOptions options;

    /// <param name="postgres">Tables and journals in a schema of its own of the <see cref="PostgresServer"/> instead of the folder.</param>
    /// <param name="folder">The folder to use; null for a new one.</param>
    public TemporaryStorage(bool postgres = false, string? folder = null)
    {
        this.folder = folder is null ? Directory.CreateTempSubdirectory("althing-test-") : Directory.CreateDirectory(folder);
        options = new() { Folder = this.folder.FullName, PostgreSql = postgres ? PostgresServer.NewSchema() : null };
        Open = PlatformStorage.Open(options);
    }

    public StorageOptions Options => options;
    public PlatformStorage Open { get; private set; }
    public IStore Store => Open.Store;
    public string Folder => folder.FullName;

    /// <summary>Closes the folder and opens it again, as a restart does.</summary>
    public async Task Reopen()
    {
        await Open.DisposeAsync();
        Open = PlatformStorage.Open(options);
    }

    public async ValueTask DisposeAsync()
    {
        await Open.DisposeAsync();
        folder.Delete(recursive: true);
    }
}
