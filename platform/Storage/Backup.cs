using System.Text.Json;
using Althing.Storage.Engines;

namespace Althing.Storage;

/// <summary>Copies everything of a platform into one file while it runs, and makes a data folder from such a file.</summary>
/// <remarks>
/// A backup holds every write that was acknowledged before it began; of those made meanwhile it holds some. Restored, it is to the platform
/// as if the machine had stopped at that moment. It contains the keys of the folder, so it is as secret as the folder is.
/// The form: a zip archive with <c>data/...</c>, the files of the folder, for PostgreSQL also <c>postgresql/...</c>, its tables in the
/// binary form of COPY, and <c>manifest.json</c>, whose SHA-256 is the archive's comment and which has that of every other file.
/// </remarks>
public static class Backup
{
    /// <summary>Writes a backup of the data folder, whether or not a process has it open, to a file that only its owner can read.</summary>
    /// <param name="file">Appears when it is whole, in place of an older one. It may not lie in the data folder.</param>
    /// <exception cref="BackupException">There is no data folder, or the file would be in it.</exception>
    public static async Task<BackupManifest> Write(StorageOptions options, string file, TimeProvider clock, CancellationToken cancel)
    {
        file = Path.GetFullPath(file);
        if (file.StartsWith(Path.GetFullPath(options.Folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new BackupException($"'{file}' lies in the data folder itself. Write the backup to another folder, best on another disk.");
        var parent = Path.GetDirectoryName(file) is { } p && Directory.Exists(p) ? p
            : throw new BackupException($"'{file}' cannot be written: its folder does not exist.");
        var temporary = Path.Combine(parent, $".{Path.GetFileName(file)}.{Path.GetRandomFileName()}.part");
        try
        {
            BackupManifest manifest;
            await using (var output = PrivateFiles.Create(temporary))
            {
                manifest = await BackupWriter.Write(options, output, parent, clock, cancel);
                output.Flush(flushToDisk: true);
            }
            File.Move(temporary, file, overwrite: true);
            FolderSync.Flush(parent);
            return manifest;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Writes a backup of the open platform to a stream, for example a download.</summary>
    public static Task<BackupManifest> Write(PlatformStorage storage, Stream output, TimeProvider clock, CancellationToken cancel) =>
        BackupWriter.Write(storage.Options, output, Path.GetTempPath(), clock, cancel);

    /// <summary>Makes a data folder, and with PostgreSQL the tables, of a backup. Fails as a whole or succeeds as a whole.</summary>
    /// <exception cref="BackupException">The folder or the schema is not empty, or the file is damaged or no backup; nothing was kept.</exception>
    /// <exception cref="StorageVersionException">The backup is from a newer version of the platform.</exception>
    public static Task<BackupManifest> Restore(string file, StorageOptions options, CancellationToken cancel) =>
        BackupReader.Restore(file, options, cancel);
}

/// <summary>What a backup contains.</summary>
public sealed record BackupManifest
{
    /// <summary>The form of the archive that this program writes and reads.</summary>
    public const int FormatCurrent = 1;

    public required int Format { get; init; }

    /// <summary>When the backup began.</summary>
    public required DateTimeOffset Taken { get; init; }

    /// <summary>The version of PostgreSQL's schema; null when tables and journals are in the folder.</summary>
    public int? PostgreSqlVersion { get; init; }

    /// <summary>All files but the manifest itself.</summary>
    public required IReadOnlyList<BackupFile> Files { get; init; }

    /// <summary>What they hold together, uncompressed.</summary>
    public long Bytes() => Files.Sum(f => f.Bytes);

    internal static JsonSerializerOptions Json { get; } = new() { WriteIndented = true };
}

/// <summary>A file in a backup.</summary>
/// <param name="Name">Its place in the archive, for example <c>data/blobs/000000000000/61.blob</c>.</param>
/// <param name="Sha256">Of its content, in hexadecimal.</param>
/// <param name="Mode">Its rights, as in <see cref="UnixFileMode"/>.</param>
/// <param name="SchemaVersion">For a SQLite database, the version of its schema.</param>
public sealed record BackupFile(string Name, long Bytes, string Sha256, int Mode, int? SchemaVersion = null);

/// <summary>A backup could not be written or restored; the message says why and what to do.</summary>
public sealed class BackupException(string message, Exception? inner = null) : Exception(message, inner);
