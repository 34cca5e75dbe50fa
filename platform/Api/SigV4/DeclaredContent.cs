using System.Security.Cryptography;
using Althing.Storage;
using Microsoft.AspNetCore.Http;

namespace Althing.Api.SigV4;

/// <summary>Content that must be as long as its headers say and, if they say it, have this hash: the end comes only when it is.</summary>
/// <param name="length">How many bytes there must be.</param>
/// <param name="declaredHash">SHA-256 in hexadecimal; null when the signature leaves the content out or covers it by chunks.</param>
sealed class DeclaredContent(Stream content, long length, string? declaredHash) : ReadingStream
{
    readonly IncrementalHash? hash = declaredHash is null ? null : IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    /// <summary>Whether anybody has read from it.</summary>
    public bool IsBegun { get; private set; }

    long arrived;
    bool ended;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length == 0 || ended)
            return 0;
        IsBegun = true;
        var read = await Read(buffer, cancellationToken);
        arrived += read;
        if (arrived > length || (read == 0 && arrived < length))
            throw new ServiceException("IncompleteBody", 400, $"The body does not have the {length} bytes that its headers say.");
        hash?.AppendData(buffer.Span[..read]);
        if (read > 0)
            return read;
        ended = true;
        if (hash is not null && Convert.ToHexStringLower(hash.GetHashAndReset()) != declaredHash)
            throw new ServiceException("XAmzContentSHA256Mismatch", 400, "The provided 'x-amz-content-sha256' header does not match what was computed.");
        return 0;
    }

    async ValueTask<int> Read(Memory<byte> buffer, CancellationToken cancel)
    {
        try
        {
            return await content.ReadAsync(buffer, cancel);
        }
        catch (BadHttpRequestException)
        {
            throw new ServiceException("IncompleteBody", 400, "The body did not arrive whole: its length is not what the headers say.");
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            hash?.Dispose();
        base.Dispose(disposing);
    }
}
