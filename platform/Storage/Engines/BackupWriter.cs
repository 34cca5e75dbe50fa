using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;

namespace Althing.Storage.Engines;

/// <summary>
/// Reads a data folder, perhaps in use by this or another process, into an archive. The order makes it consistent: the journals' files are
/// opened first, so that no trimming takes them away; then the tables are copied, each database as of one moment; then the journals are
/// read to where they are now, so they reach at least as far as the tables; then all else, whose files are replaced whole.
/// </summary>
sealed class BackupWriter(ZipArchive archive, string folder, CancellationToken cancel) : IDisposable
{
    /// <summary>What belongs to the running process and not to the data.</summary>
    static readonly string[] Transient = ["lock", "lock.pid", "running"];

    /// <summary>What is half written, and what SQLite keeps beside a database, which copying the database takes in.</summary>
    static readonly string[] TransientEndings = [".part", ".db-wal", ".db-shm", ".db-journal"];

    static readonly EnumerationOptions Everything = new() { RecurseSubdirectories = true, AttributesToSkip = 0, IgnoreInaccessible = false };

    readonly List<BackupFile> files = [];
    readonly SortedDictionary<string, FileStream> journals = new(StringComparer.Ordinal);

    /// <param name="workFolder">Where copies of databases may stand meanwhile.</param>
    public static async Task<BackupManifest> Write(StorageOptions options, Stream output, string workFolder, TimeProvider clock, CancellationToken cancel)
    {
        var folder = Path.GetFullPath(options.Folder);
        if (!File.Exists(Path.Combine(folder, "lock")))
            throw new BackupException($"'{folder}' is not a data folder of the platform: it has no file 'lock'. Name the folder with --data.");
        if (File.Exists(Path.Combine(folder, BackupReader.Unfinished)))
            throw new BackupException($"Restoring to '{folder}' was interrupted: there is nothing whole in it to back up.");
        var taken = clock.GetUtcNow();
        using var archive = new ZipArchive(output, ZipArchiveMode.Create, leaveOpen: true);
        using var writer = new BackupWriter(archive, folder, cancel);
        writer.OpenJournals();
        int? postgres = options.PostgreSql is { } connection ? await PostgresDump.Write(connection, writer.Add, cancel) : null;
        await writer.AddDatabases(workFolder);
        writer.OpenJournals();
        await writer.AddJournals();
        await writer.AddOthers();
        var manifest = new BackupManifest { Format = BackupManifest.FormatCurrent, Taken = taken, PostgreSqlVersion = postgres, Files = writer.files };
        writer.Seal(manifest);
        return manifest;
    }

    /// <summary>Every file below the folder that belongs to the data, by its name in the archive.</summary>
    IEnumerable<(string Name, string Path)> Files() =>
        from path in Directory.EnumerateFiles(folder, "*", Everything)
        let name = Path.GetRelativePath(folder, path).Replace('\\', '/')
        where !Transient.Contains(name) && !TransientEndings.Any(e => name.EndsWith(e, StringComparison.Ordinal))
        orderby name
        select ("data/" + name, path);

    static bool IsJournal(string name) => name.StartsWith("data/journals/", StringComparison.Ordinal);

    static bool IsDatabase(string name) => name.EndsWith(".db", StringComparison.Ordinal);

    void OpenJournals()
    {
        foreach (var (name, path) in Files().Where(f => IsJournal(f.Name) && !journals.ContainsKey(f.Name)).ToList())
        {
            if (Open(path) is { } stream)
                journals.Add(name, stream);
        }
    }

    async Task AddDatabases(string workFolder)
    {
        foreach (var (name, path) in Files().Where(f => IsDatabase(f.Name)).ToList())
        {
            var copy = Path.Combine(workFolder, $".{Path.GetFileName(path)}.{Path.GetRandomFileName()}.part");
            try
            {
                await PrivateFiles.Create(copy).DisposeAsync();
                var version = SqliteFile.Copy(path, copy);
                await using var content = new FileStream(copy, FileMode.Open, FileAccess.Read);
                await Add(new(name, 0, "", PrivateFiles.ModeOf(path), version), content);
            }
            finally
            {
                File.Delete(copy);
            }
        }
    }

    async Task AddJournals()
    {
        foreach (var (name, stream) in journals)
            await Add(new(name, 0, "", (int)(UnixFileMode.UserRead | UnixFileMode.UserWrite)), stream);
    }

    async Task AddOthers()
    {
        foreach (var (name, path) in Files().Where(f => !IsJournal(f.Name) && !IsDatabase(f.Name)).ToList())
        {
            await using var content = Open(path);
            if (content is not null)
                await Add(new(name, 0, "", PrivateFiles.ModeOf(path)), content);
        }
    }

    /// <summary>Null when the file has gone since it was listed: a deleted object, a trimmed segment.</summary>
    static FileStream? Open(string path)
    {
        try
        {
            return new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Adds the content, of a growing file what it has now, and notes length and checksum.</summary>
    async Task Add(BackupFile file, Stream content)
    {
        var left = content.CanSeek ? content.Length : long.MaxValue;
        var bytes = 0L;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var entry = archive.CreateEntry(file.Name, CompressionLevel.Fastest);
        await using (var target = await entry.OpenAsync(cancel))
        {
            var buffer = new byte[1 << 17];
            for (int read; left > 0 && (read = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancel)) > 0; left -= read)
            {
                hash.AppendData(buffer, 0, read);
                await target.WriteAsync(buffer.AsMemory(0, read), cancel);
                bytes += read;
            }
        }
        files.Add(file with { Bytes = bytes, Sha256 = Convert.ToHexStringLower(hash.GetHashAndReset()) });
    }

    void Seal(BackupManifest manifest)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(manifest, BackupManifest.Json);
        using (var target = archive.CreateEntry(BackupReader.ManifestName).Open())
            target.Write(json);
        archive.Comment = Convert.ToHexStringLower(SHA256.HashData(json));
    }

    public void Dispose()
    {
        foreach (var journal in journals.Values)
            journal.Dispose();
    }
}
