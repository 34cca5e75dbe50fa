using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;

namespace Althing.Storage.Engines;

/// <summary>
/// Blobs as files: written beside, made durable, then renamed into place. A file begins with the SHA-256 of its content. Names become
/// hexadecimal, so that no name can leave the folder; long ones are cut into folders of their own.
/// </summary>
sealed class FileBlobs : IBlobs
{
    const int NamePartMax = 200;
    const string Ending = ".blob";

    readonly string folder;

    /// <summary>Where objects are written before they have a name. No account is called so.</summary>
    readonly string incoming;

    public FileBlobs(string folder, bool isShared = false)
    {
        this.folder = folder;
        incoming = Path.Combine(folder, "incoming");
        Directory.CreateDirectory(incoming);
        // What a killed process left half written; of a folder that several share, only what is surely left.
        foreach (var path in Directory.EnumerateFiles(incoming))
        {
            if (!isShared || File.GetLastWriteTimeUtc(path) < TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-1))
                File.Delete(path);
        }
    }

    public async ValueTask Put(AccountId account, string name, Stream content, CancellationToken cancel)
    {
        var path = PathOf(account, name);
        var parent = Path.GetDirectoryName(path)!;
        MakeFolder(parent);
        var temporary = Path.Combine(incoming, Path.GetRandomFileName() + ".part");
        try
        {
            await using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite))
            {
                using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                file.Position = SHA256.HashSizeInBytes;
                var buffer = new byte[1 << 16];
                for (int read; (read = await content.ReadAsync(buffer, cancel)) > 0;)
                {
                    hash.AppendData(buffer, 0, read);
                    await file.WriteAsync(buffer.AsMemory(0, read), cancel);
                }
                file.Position = 0;
                await file.WriteAsync(hash.GetHashAndReset(), cancel);
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
            FolderSync.Flush(parent);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    public async ValueTask<Stream?> Get(AccountId account, string name, CancellationToken cancel)
    {
        var path = PathOf(account, name);
        if (!File.Exists(path))
            return null;
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        var expected = new byte[SHA256.HashSizeInBytes];
        var whole = await file.ReadAtLeastAsync(expected, expected.Length, throwOnEndOfStream: false, cancel) == expected.Length;
        var found = await SHA256.HashDataAsync(file, cancel);
        if (!whole || !expected.AsSpan().SequenceEqual(found))
        {
            await file.DisposeAsync();
            throw Damaged(account, name);
        }
        file.Position = SHA256.HashSizeInBytes;
        return file;
    }

    public async ValueTask<Stream?> Open(AccountId account, string name, long offset, long? bytes, CancellationToken cancel)
    {
        FileStream file;
        try
        {
            file = new(PathOf(account, name), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        var all = file.Length - SHA256.HashSizeInBytes;
        var part = Math.Min(bytes ?? long.MaxValue, all - offset);
        byte[]? expected = null;
        if (all < 0 || offset < 0 || part < 0)
        {
            await file.DisposeAsync();
            throw Damaged(account, name);
        }
        if (part == all)
            await file.ReadExactlyAsync(expected = new byte[SHA256.HashSizeInBytes], cancel);
        else
            file.Position = SHA256.HashSizeInBytes + offset;
        return new BlobReader(file, part, expected, () => Damaged(account, name));
    }

    static InvalidDataException Damaged(AccountId account, string name) =>
        new($"The stored object '{name}' of account {account} is damaged: its checksum does not hold. Restore it from a backup.");

    /// <summary>A new folder's entry in the one above must be on disk as well, or all in it could be gone after a power cut.</summary>
    void MakeFolder(string path)
    {
        if (Directory.Exists(path))
            return;
        var above = Path.GetDirectoryName(path)!;
        if (above.Length >= folder.Length)
            MakeFolder(above);
        Directory.CreateDirectory(path);
        if (Directory.Exists(above))
            FolderSync.Flush(above);
    }

    public ValueTask<bool> Delete(AccountId account, string name, CancellationToken cancel)
    {
        var path = PathOf(account, name);
        if (!File.Exists(path))
            return new(false);
        File.Delete(path);
        FolderSync.Flush(Path.GetDirectoryName(path)!);
        return new(true);
    }

    public async IAsyncEnumerable<(string Name, long Bytes)> List(AccountId account, string prefix, [EnumeratorCancellation] CancellationToken cancel)
    {
        await Task.CompletedTask;
        var root = Path.Combine(folder, account.Value);
        if (!Directory.Exists(root))
            yield break;
        var found = from path in Directory.EnumerateFiles(root, "*" + Ending, SearchOption.AllDirectories)
                    let hex = Path.GetRelativePath(root, path)[..^Ending.Length].Replace("/", "", StringComparison.Ordinal)
                    let name = Encoding.UTF8.GetString(Convert.FromHexString(hex))
                    where name.StartsWith(prefix, StringComparison.Ordinal)
                    orderby hex
                    select (name, new FileInfo(path).Length - SHA256.HashSizeInBytes);
        foreach (var blob in found)
        {
            cancel.ThrowIfCancellationRequested();
            yield return blob;
        }
    }

    string PathOf(AccountId account, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var hex = Convert.ToHexStringLower(Encoding.UTF8.GetBytes(name));
        var parts = hex.Chunk(NamePartMax).Select(c => new string(c)).ToArray();
        return Path.Combine([folder, account.Value, .. parts[..^1], parts[^1] + Ending]);
    }
}
