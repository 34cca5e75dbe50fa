using System.Net;
using System.Text;
using Althing.Api;
using Althing.ObjectStore.Digests;
using Althing.ObjectStore.Objects;
using Althing.ObjectStore.Uploads;

namespace Althing.ObjectStore.Elsewhere;

/// <summary>
/// Content on its way from a client to another service, two buffers of it in memory. The last bytes go out only when all that the client
/// declared has been compared, so that the service never gets a whole body that is not what the client meant.
/// </summary>
sealed class OutgoingContent : IDisposable
{
    const int ChunkBytes = 64 * 1024;

    readonly DigestingStream content;
    readonly long length;
    readonly string? trailer;
    readonly int trailerValueLength;
    readonly string declaredHash;

    public OutgoingContent(RequestContent sent, S3Request request)
    {
        var md5 = request switch { PutObjectRequest put => put.ContentMD5, UploadPartRequest part => part.ContentMD5, _ => null };
        var declared = new DeclaredDigests(sent, md5, request.Amz);
        content = new(sent.Stream, declared.Algorithm, declared.Check);
        length = sent.Length;
        trailer = declared.IsInTrailer ? "x-amz-checksum-" + declared.Algorithm.HeaderName : null;
        trailerValueLength = (declared.Algorithm.Bytes + 2) / 3 * 4;
        declaredHash = request.Amz.GetValueOrDefault("content-sha256") is { Length: 64 } hash ? hash : "UNSIGNED-PAYLOAD";
    }

    /// <summary>Whether any of it has been read: then it cannot be sent once more.</summary>
    public bool IsBegun { get; private set; }

    /// <summary>Why no more could be read: the client broke off, or sent other bytes than it declared.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>The body of one attempt to send it.</summary>
    public HttpContent Body(Patience patience) => new Streaming(this, patience);

    /// <summary>Says in the headers how the body comes.</summary>
    public void Describe(HttpRequestMessage message)
    {
        // A service that refuses says so before the bytes are under way; then they can still be sent again.
        message.Headers.ExpectContinue = length > 0;
        message.Headers.TryAddWithoutValidation("x-amz-content-sha256", trailer is null ? declaredHash : "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
        if (trailer is null)
            return;
        message.Headers.TryAddWithoutValidation("x-amz-trailer", trailer);
        message.Headers.TryAddWithoutValidation("x-amz-decoded-content-length", $"{length}");
        var encodings = message.Content!.Headers.ContentEncoding.Prepend("aws-chunked").ToList();
        message.Content.Headers.Remove("Content-Encoding");
        message.Content.Headers.TryAddWithoutValidation("Content-Encoding", string.Join(',', encodings));
    }

    public void Dispose() => content.Dispose();

    /// <summary>Fills the buffer as far as the content goes.</summary>
    async ValueTask<int> Fill(byte[] buffer, CancellationToken cancel)
    {
        IsBegun = true;
        try
        {
            return await content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancel);
        }
        catch (Exception failure)
        {
            Failure = failure;
            throw;
        }
    }

    sealed class Streaming(OutgoingContent sending, Patience patience) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            var (ready, next) = (new byte[ChunkBytes], new byte[ChunkBytes]);
            var bytes = await Read(ready, cancellationToken);
            while (bytes > 0)
            {
                // Whoever reads to the end without an exception has what was declared.
                var following = await Read(next, cancellationToken);
                await Write(stream, ready.AsMemory(0, bytes), cancellationToken);
                (ready, next, bytes) = (next, ready, following);
            }
            if (sending.trailer is { } trailer)
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"0\r\n{trailer}:{sending.content.Digests!.Checksum}\r\n\r\n"), cancellationToken);
        }

        async ValueTask<int> Read(byte[] buffer, CancellationToken cancel)
        {
            patience.Rest();
            var read = await sending.Fill(buffer, cancel);
            patience.Begin();
            return read;
        }

        async ValueTask Write(Stream stream, ReadOnlyMemory<byte> chunk, CancellationToken cancel)
        {
            if (sending.trailer is not null)
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"{chunk.Length:x}\r\n"), cancel);
            await stream.WriteAsync(chunk, cancel);
            if (sending.trailer is not null)
                await stream.WriteAsync("\r\n"u8.ToArray(), cancel);
            patience.Begin();
        }

        protected override bool TryComputeLength(out long length)
        {
            length = sending.length;
            if (sending.trailer is not { } trailer)
                return true;
            var (whole, rest) = Math.DivRem(sending.length, ChunkBytes);
            length += whole * Framing(ChunkBytes) + (rest > 0 ? Framing((int)rest) : 0) + "0\r\n:\r\n\r\n".Length + trailer.Length + sending.trailerValueLength;
            return true;
        }

        static int Framing(int bytes) => $"{bytes:x}\r\n\r\n".Length;
    }
}
