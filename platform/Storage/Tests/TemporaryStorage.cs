using Althing.Storage;

namespace Althing.Tests;

/// <summary>A fresh data folder that goes with the test.</summary>
public sealed class TemporaryStorage : IAsyncDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("althing-test-");
    readonly StorageOptions options;

    /// <param name="postgres">Tables and journals in a schema of its own of the <see cref="PostgresServer"/> instead of the folder.</param>
    public TemporaryStorage(bool postgres = false)
    {
        options = new() { Folder = folder.FullName, PostgreSql = postgres ? PostgresServer.NewSchema() : null };
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
