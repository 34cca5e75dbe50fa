using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;

namespace Althing.Storage.Engines;

/// <summary>Makes a data folder of an archive, trusting nothing in it before its checksum held.</summary>
sealed class BackupReader(ZipArchive archive, string file, string folder, CancellationToken cancel)
{
    public const string ManifestName = "manifest.json";

    /// <summary>Stands in a folder while it is being restored, so that a folder left half done is never taken for a whole one.</summary>
    public const string Unfinished = "restore.unfinished";

    const string DataPrefix = "data/";
    const int ManifestBytesMax = 1 << 30;

    public static async Task<BackupManifest> Restore(string file, StorageOptions options, CancellationToken cancel)
    {
        file = Path.GetFullPath(file);
        var folder = Path.GetFullPath(options.Folder);
        if (!File.Exists(file))
            throw new BackupException($"There is no file '{file}'.");
        RefuseUnlessEmpty(folder);
        try
        {
            using var archive = ZipFile.OpenRead(file);
            return await new BackupReader(archive, file, folder, cancel).Restore(options.PostgreSql);
        }
        catch (Exception failure) when (failure is InvalidDataException or JsonException or EndOfStreamException)
        {
            throw new BackupException($"'{file}' is damaged, cut short, or no backup of the platform ({failure.Message}) Nothing was restored; use another backup.", failure);
        }
    }

    static void RefuseUnlessEmpty(string folder)
    {
        if (File.Exists(Path.Combine(folder, Unfinished)))
            throw new BackupException($"An earlier restore to '{folder}' was interrupted. Remove what is in the folder, then restore again.");
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
            throw new BackupException($"'{folder}' is not empty. A backup is restored to a new or empty folder only: move what is there away, or name another folder.");
    }

    async Task<BackupManifest> Restore(string? postgres)
    {
        var manifest = ReadManifest();
        if ((manifest.PostgreSqlVersion is null) != (postgres is null))
        {
            throw new BackupException(postgres is null
                ? $"'{file}' is a backup of a platform on PostgreSQL. Name an empty schema to restore it to with --postgres."
                : $"'{file}' is a backup of a platform without PostgreSQL. Restore it without --postgres.");
        }
        if (manifest.Files.Max(f => f.SchemaVersion) > Migrations.Current)
            throw new StorageVersionException(manifest.Files.Max(f => f.SchemaVersion)!.Value, Migrations.Current);
        var existed = Directory.Exists(folder);
        PrivateFiles.MakeFolder(folder);
        var marker = Path.Combine(folder, Unfinished);
        await PrivateFiles.Create(marker).DisposeAsync();
        FolderSync.Flush(folder);
        try
        {
            foreach (var item in manifest.Files.Where(f => f.Name.StartsWith(DataPrefix, StringComparison.Ordinal)))
                await Extract(item);
            FlushFolders();
            if (postgres is not null)
                await PostgresDump.Restore(postgres, manifest, CopyChecked, cancel);
        }
        catch
        {
            Clear(existed);
            throw;
        }
        File.Delete(marker);
        FolderSync.Flush(folder);
        return manifest;
    }

    BackupManifest ReadManifest()
    {
        var entry = archive.GetEntry(ManifestName) ?? throw new InvalidDataException("it has no manifest.");
        if (entry.Length > ManifestBytesMax)
            throw new InvalidDataException("its manifest is too long.");
        using var content = new MemoryStream();
        using (var stream = entry.Open())
            stream.CopyTo(content);
        if (Convert.ToHexStringLower(SHA256.HashData(content.ToArray())) != archive.Comment)
            throw new InvalidDataException("the checksum of its manifest does not hold.");
        var manifest = JsonSerializer.Deserialize<BackupManifest>(content.ToArray(), BackupManifest.Json)!;
        if (manifest.Format > BackupManifest.FormatCurrent)
            throw new BackupException($"'{file}' was written by a newer version of the platform (format {manifest.Format}). Restore it with that version.");
        var named = manifest.Files.Select(f => f.Name).ToHashSet(StringComparer.Ordinal);
        if (named.Count != manifest.Files.Count || named.Count + 1 != archive.Entries.Count)
            throw new InvalidDataException("its files are not those that its manifest names.");
        if (manifest.Files.FirstOrDefault(f => !IsSafe(f.Name)) is { } unsafeName)
            throw new InvalidDataException($"the name '{unsafeName.Name}' does not belong in a backup.");
        return manifest;
    }

    /// <summary>A plain relative path under one of our two roots: nothing that could leave the folder.</summary>
    static bool IsSafe(string name) =>
        (name.StartsWith(DataPrefix, StringComparison.Ordinal) || name.StartsWith(PostgresDump.Prefix, StringComparison.Ordinal))
        && !name.Contains('\\') && !name.Contains('\0') && name.Split('/').All(part => part is not ("" or "." or ".."));

    async Task Extract(BackupFile item)
    {
        var path = Path.Combine(folder, item.Name[DataPrefix.Length..]);
        PrivateFiles.MakeFolder(Path.GetDirectoryName(path)!);
        await using (var target = PrivateFiles.Create(path))
        {
            await CopyChecked(item, target);
            target.Flush(flushToDisk: true);
        }
        PrivateFiles.SetMode(path, item.Mode);
    }

    /// <summary>Copies an item's content and throws at the end when it is not what was written.</summary>
    async Task CopyChecked(BackupFile item, Stream target)
    {
        var entry = archive.GetEntry(item.Name) ?? throw new InvalidDataException($"'{item.Name}' is missing.");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var left = item.Bytes;
        await using var content = await entry.OpenAsync(cancel);
        var buffer = new byte[1 << 17];
        for (int read; (read = await content.ReadAsync(buffer, cancel)) > 0;)
        {
            if ((left -= read) < 0)
                break;
            hash.AppendData(buffer, 0, read);
            await target.WriteAsync(buffer.AsMemory(0, read), cancel);
        }
        if (left != 0 || Convert.ToHexStringLower(hash.GetHashAndReset()) != item.Sha256)
            throw new InvalidDataException($"the checksum of '{item.Name}' does not hold.");
    }

    void FlushFolders()
    {
        foreach (var path in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories))
            FolderSync.Flush(path);
        FolderSync.Flush(folder);
    }

    /// <summary>Leaves the folder as it was found: empty, or not there.</summary>
    void Clear(bool keepFolder)
    {
        foreach (var path in Directory.EnumerateDirectories(folder))
            Directory.Delete(path, recursive: true);
        foreach (var path in Directory.EnumerateFiles(folder))
            File.Delete(path);
        if (!keepFolder)
            Directory.Delete(folder);
    }
}
