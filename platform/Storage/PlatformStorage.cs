using System.Collections.Concurrent;
using System.Globalization;
using Althing.Storage.Engines;

namespace Althing.Storage;

/// <summary>Everything durable of one platform: tables, journals and blobs, under one lock of the data folder.</summary>
public sealed class PlatformStorage : IAsyncDisposable
{
    readonly FileStream folderLock;
    readonly ConcurrentDictionary<string, Lazy<IJournal>> journals = new(StringComparer.Ordinal);

    PlatformStorage(string folder, FileStream folderLock, IStore store)
    {
        Folder = folder;
        this.folderLock = folderLock;
        Store = store;
        Blobs = new FileBlobs(Path.Combine(folder, "blobs"));
    }

    public string Folder { get; }
    public IStore Store { get; }
    public IBlobs Blobs { get; }

    /// <summary>The journal of this name: letters, digits and hyphens.</summary>
    public IJournal Journal(string name) =>
        journals.GetOrAdd(name, n => new(() => new FileJournal(Path.Combine(Folder, "journals", n)))).Value;

    /// <summary>Opens the data folder, making it at the first time with rights for its owner alone.</summary>
    /// <exception cref="DataFolderInUseException">Another process has it open.</exception>
    /// <exception cref="StorageVersionException">It was written by a newer version.</exception>
    public static PlatformStorage Open(StorageOptions options)
    {
        var folder = Path.GetFullPath(options.Folder);
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var folderLock = Lock(folder);
        try
        {
            return new(folder, folderLock, new SqliteStore(Path.Combine(folder, "tables.db")));
        }
        catch
        {
            folderLock.Dispose();
            throw;
        }
    }

    static FileStream Lock(string folder)
    {
        var path = Path.Combine(folder, "lock");
        try
        {
            // The runtime takes an advisory lock for FileShare.None, which the kernel gives back when the process dies, however it dies.
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            file.SetLength(0);
            file.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
            file.Flush();
            return file;
        }
        catch (IOException)
        {
            throw new DataFolderInUseException(folder);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var journal in journals.Values)
            await journal.Value.DisposeAsync();
        await Store.DisposeAsync();
        await folderLock.DisposeAsync();
    }
}

/// <summary>Two processes on one data folder would undo each other's promises.</summary>
public sealed class DataFolderInUseException(string folder)
    : Exception($"The data folder '{folder}' is in use by another process of the platform. Stop that one, or give this one another folder with --data.");
