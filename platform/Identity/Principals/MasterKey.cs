using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Althing.Identity;

/// <summary>The platform's own secret: encrypts what must be kept readable and derives keys for what must not be forged.</summary>
public sealed class MasterKey
{
    public const string FileName = "master.key";
    const int KeyBytes = 32;
    readonly byte[] key;

    MasterKey(byte[] key) => this.key = key;

    /// <summary>Reads <c>master.key</c> in the data folder, or makes it, readable by its owner alone.</summary>
    public static MasterKey Open(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            PrivateFile.Write(path, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(KeyBytes)));
        var bytes = new byte[KeyBytes];
        var text = File.ReadAllText(path).Trim();
        return text.Length == KeyBytes * 2 && Convert.FromHexString(text, bytes, out _, out _) == OperationStatus.Done
            ? new(bytes)
            : throw new InvalidDataException($"'{path}' is damaged: it must hold {KeyBytes} bytes in hexadecimal. Restore it from a backup.");
    }

    /// <summary>A key for one purpose; the same every time.</summary>
    public byte[] Derive(string purpose) => HKDF.DeriveKey(HashAlgorithmName.SHA256, key, KeyBytes, info: Encoding.UTF8.GetBytes(purpose));

    /// <summary>Encrypts and authenticates (AES-256-GCM).</summary>
    public byte[] Seal(string purpose, ReadOnlySpan<byte> plain)
    {
        var box = new byte[12 + 16 + plain.Length];
        RandomNumberGenerator.Fill(box.AsSpan(0, 12));
        using var aes = new AesGcm(Derive(purpose), 16);
        aes.Encrypt(box.AsSpan(0, 12), plain, box.AsSpan(28), box.AsSpan(12, 16));
        return box;
    }

    /// <summary>The plain bytes, or null when they were not sealed here for this purpose.</summary>
    public byte[]? Open(string purpose, ReadOnlySpan<byte> box)
    {
        if (box.Length < 28)
            return null;
        var plain = new byte[box.Length - 28];
        using var aes = new AesGcm(Derive(purpose), 16);
        try
        {
            aes.Decrypt(box[..12], box[28..], box[12..28], plain);
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}

/// <summary>Files that only their owner may read.</summary>
public static class PrivateFile
{
    /// <summary>Writes beside and renames, so that the file is whole or not there; mode 0600.</summary>
    public static void Write(string path, string content)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var temporary = path + ".part";
        File.Delete(temporary);
        using (var file = new FileStream(temporary, options))
        {
            file.Write(System.Text.Encoding.UTF8.GetBytes(content));
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }
}
