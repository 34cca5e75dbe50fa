using System.Data.Common;
using System.Globalization;
using Althing.Storage.Engines;

namespace Althing.Storage;

/// <summary>Everything durable of one platform: tables, journals and blobs, under one lock of the data folder.</summary>
public sealed class PlatformStorage : IAsyncDisposable
{
    readonly FileStream folderLock;
    readonly Dictionary<string, IJournal> journals = new(StringComparer.Ordinal);
    readonly Lock opening = new();

    readonly PostgresDatabase? postgres;

    PlatformStorage(StorageOptions options, string folder, FileStream folderLock, PostgresDatabase? postgres)
    {
        Options = options;
        Folder = folder;
        this.folderLock = folderLock;
        this.postgres = postgres;
        Store = postgres is null ? new SqliteStore(Path.Combine(folder, "tables.db")) : new PostgresStore(postgres);
        Blobs = options.NoBlobs is { } why ? new NoBlobs(why) : new FileBlobs(options.BlobFolder ?? Path.Combine(folder, "blobs"), options.BlobFolder is not null);
    }

    internal StorageOptions Options { get; }
    public string Folder { get; }
    public IStore Store { get; }
    public IBlobs Blobs { get; }

    /// <summary>Proves that tables can be written and read back, by one small row of the platform's own. For health checks.</summary>
    /// <exception cref="StorageException">They cannot; the message says why.</exception>
    public async ValueTask Check(CancellationToken cancel)
    {
        try
        {
            await Store.Commit(new Batch().Put(Probe.Table, new Probe("storage")), cancel);
            if (await Store.Get(Probe.Table, AccountId.Platform, "storage", cancel) is null)
                throw new StorageException("A row that was written is not there.");
        }
        catch (DbException failure)
        {
            throw new StorageException($"The store could not read: {failure.Message}", failure);
        }
    }

    sealed record Probe(string Name)
    {
        public static readonly Table<Probe> Table = new("probes", p => (AccountId.Platform, p.Name));
    }

    /// <summary>Tables and journals are in PostgreSQL, where other processes can reach them too.</summary>
    public bool IsShared => postgres is not null;

    /// <summary>The journal of this name: letters, digits and hyphens.</summary>
    /// <param name="fence">For a journal that several processes can reach: nothing is appended once this row has changed.</param>
    public IJournal Journal(string name, JournalFence? fence = null)
    {
        if (fence is not null && postgres is null)
            throw new ArgumentException("A journal on files is one process's own and needs no fence.", nameof(fence));
        if (name is "" || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '-'))
            throw new ArgumentException($"'{name}' is not a name of a journal: letters, digits and hyphens are.", nameof(name));
        // Under a lock: two openings of one journal would write over each other.
        lock (opening)
        {
            if (!journals.TryGetValue(name, out var journal))
                journals.Add(name, journal = postgres is null ? new FileJournal(Path.Combine(Folder, "journals", name)) : new PostgresJournal(postgres, name, fence));
            return journal;
        }
    }

    /// <summary>Puts something between a journal's users and its disk, for tests of slow and broken disks.</summary>
    internal void Wrap(string name, Func<IJournal, IJournal> wrap)
    {
        lock (opening)
            journals[name] = wrap(Journal(name));
    }

    /// <summary>Opens the data folder, making it at the first time with rights for its owner alone.</summary>
    /// <exception cref="DataFolderInUseException">Another process has it open.</exception>
    /// <exception cref="StorageVersionException">It was written by a newer version.</exception>
    /// <exception cref="BackupException">A restore of the folder was interrupted.</exception>
    public static PlatformStorage Open(StorageOptions options)
    {
        var folder = Path.GetFullPath(options.Folder);
        PrivateFiles.MakeFolder(folder);
        if (File.Exists(Path.Combine(folder, BackupReader.Unfinished)))
            throw new BackupException($"Restoring to '{folder}' was interrupted, and what is in it is not whole. Remove what is in the folder, then restore again.");
        var folderLock = Lock(folder);
        PostgresDatabase? postgres = null;
        try
        {
            PrivateFiles.MakeFolder(Path.Combine(folder, "journals"));
            PrivateFiles.MakeFolder(options.BlobFolder ?? Path.Combine(folder, "blobs"));
            postgres = options.PostgreSql is { } connectionString ? new(connectionString) : null;
            return new(options, folder, folderLock, postgres);
        }
        catch
        {
            postgres?.Dispose();
            folderLock.Dispose();
            throw;
        }
    }

    static FileStream Lock(string folder)
    {
        var path = Path.Combine(folder, "lock");
        // Beside the lock, for a locked file cannot be read.
        var holder = Path.Combine(folder, "lock.pid");
        try
        {
            // The runtime takes an advisory lock for FileShare.None, which the kernel gives back when the process dies, however it dies.
            var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            var file = new FileStream(path, options);
            File.WriteAllText(holder, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return file;
        }
        catch (IOException)
        {
            if (!File.Exists(path))
                throw;
            throw new DataFolderInUseException(folder, File.Exists(holder) ? File.ReadAllText(holder) : "unknown");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var journal in journals.Values)
            await journal.DisposeAsync();
        await Store.DisposeAsync();
        postgres?.Dispose();
        await folderLock.DisposeAsync();
    }
}

/// <summary>Two processes on one data folder would undo each other's promises.</summary>
public sealed class DataFolderInUseException(string folder, string process)
    : Exception($"The data folder '{folder}' is in use by another process of the platform (process id {process}). Stop that one, or give this one another folder with --data.");
