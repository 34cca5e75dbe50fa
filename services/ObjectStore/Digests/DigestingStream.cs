using System.Security.Cryptography;
using Althing.Storage;

namespace Althing.ObjectStore.Digests;

/// <summary>Passes content on and works out its digests; the end comes only after what the client said of the content has been compared.</summary>
/// <param name="check">Called at the end with the digests; throws when they are not what was declared.</param>
sealed class DigestingStream(Stream content, ChecksumAlgorithm algorithm, Action<ContentDigests>? check) : ReadingStream
{
#pragma warning disable CA5351 // An entity tag is the MD5 of the content; nothing is trusted for it.
    readonly IncrementalHash md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
    readonly ChecksumAlgorithm.Running checksum = algorithm.Start();
    long bytes;

    /// <summary>There once the content has been read to its end.</summary>
    public ContentDigests? Digests { get; private set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Digests is not null || buffer.Length == 0)
            return 0;
        var read = await content.ReadAsync(buffer, cancellationToken);
        if (read == 0)
        {
            var digests = new ContentDigests(bytes, md5.GetHashAndReset(), algorithm, checksum.Finish());
            check?.Invoke(digests);
            Digests = digests;
            return 0;
        }
        md5.AppendData(buffer.Span[..read]);
        checksum.Append(buffer.Span[..read]);
        bytes += read;
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            md5.Dispose();
            checksum.Dispose();
        }
        base.Dispose(disposing);
    }
}

/// <summary>What content turned out to be.</summary>
/// <param name="Checksum">Base64.</param>
sealed record ContentDigests(long Bytes, byte[] Md5, ChecksumAlgorithm Algorithm, string Checksum)
{
    public string ETag => Convert.ToHexStringLower(Md5);
}
