using System.Security.Cryptography;

namespace Althing.Storage.Engines;

/// <summary>
/// Reads a blob, or a part of it. A whole one is held against its checksum on the way: the last bytes come out only when it holds, so that
/// nobody can take a damaged blob for a whole one.
/// </summary>
/// <param name="file">Stands at the first byte to read.</param>
/// <param name="bytes">How many bytes to read.</param>
/// <param name="expected">The SHA-256 of all that will be read; null when it is only a part.</param>
/// <param name="damaged">Makes the exception for a checksum that does not hold.</param>
sealed class BlobReader(FileStream file, long bytes, byte[]? expected, Func<Exception> damaged) : ReadingStream
{
    readonly IncrementalHash? hash = expected is null ? null : IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    long left = bytes;

    public override long Length { get; } = bytes;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (left == 0 || buffer.Length == 0)
            return 0;
        var read = await file.ReadAsync(buffer[..(int)Math.Min(buffer.Length, left)], cancellationToken);
        if (read == 0)
            throw damaged();
        left -= read;
        hash?.AppendData(buffer.Span[..read]);
        if (left == 0 && hash is not null && !hash.GetHashAndReset().AsSpan().SequenceEqual(expected))
            throw damaged();
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            hash?.Dispose();
            file.Dispose();
        }
        base.Dispose(disposing);
    }
}
