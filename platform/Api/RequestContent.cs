namespace Althing.Api;

/// <summary>The body of a request that is read as it arrives and never held whole.</summary>
/// <param name="stream">The content without any framing. Its end comes only when all that was declared of it holds.</param>
/// <param name="length">How many bytes the content has.</param>
public sealed class RequestContent(Stream stream, long length)
{
    public Stream Stream { get; } = stream;
    public long Length { get; } = length;

    /// <summary>Headers that came behind the content, by lower-case name: there once it has been read to its end.</summary>
    public IDictionary<string, string> Trailers { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether reading has begun. Then a client that waits for leave to send its body has got it.</summary>
    internal bool IsBegun => Length > 0 && Stream is SigV4.DeclaredContent { IsBegun: true };

    /// <summary>The content in memory.</summary>
    /// <exception cref="ServiceException">It is longer than allowed.</exception>
    internal async ValueTask<byte[]> ReadAll(int bytesMax, Func<string, ServiceException> invalid, CancellationToken cancel)
    {
        if (Length > bytesMax)
            throw invalid($"The body has {Length} bytes: {bytesMax} are allowed.");
        using var whole = new MemoryStream((int)Length);
        await Stream.CopyToAsync(whole, cancel);
        return whole.ToArray();
    }
}

/// <summary>A request whose body is content of any size instead of members.</summary>
public interface IStreamedRequest
{
    /// <summary>Set by the door before the operation runs. Give it <c>[JsonIgnore]</c>.</summary>
    RequestContent? Content { get; set; }
}

/// <summary>A response whose body is content of any size. The door sends it and disposes it.</summary>
public interface IStreamedResponse
{
    /// <summary>Null for answers without a body. Give it <c>[JsonIgnore]</c>.</summary>
    Stream? Content { get; }

    /// <summary>Bytes of the content.</summary>
    long ContentLength { get; }
}
