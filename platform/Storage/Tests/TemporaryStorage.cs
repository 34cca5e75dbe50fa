using Althing.Storage;

namespace Althing.Tests;

/// <summary>A fresh data folder that goes with the test.</summary>
public sealed class TemporaryStorage : IAsyncDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("althing-test-");

    public TemporaryStorage() => Open = PlatformStorage.Open(new() { Folder = folder.FullName });

    public PlatformStorage Open { get; private set; }
    public IStore Store => Open.Store;
    public string Folder => folder.FullName;

    /// <summary>Closes the folder and opens it again, as a restart does.</summary>
    public async Task Reopen()
    {
        await Open.DisposeAsync();
        Open = PlatformStorage.Open(new() { Folder = folder.FullName });
    }

    public async ValueTask DisposeAsync()
    {
        await Open.DisposeAsync();
        folder.Delete(recursive: true);
    }
}
