using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Althing.Api;

/// <summary>Reads a request's body whole, within a limit.</summary>
static class RequestBody
{
    /// <summary>No more than this is set aside on the word of a Content-Length header alone.</summary>
    const int TrustedBytes = 64 * 1024;

    /// <exception cref="ServiceException">The body is too long, or did not arrive as its headers say.</exception>
    public static async ValueTask<ReadOnlyMemory<byte>> Read(HttpRequest request, int bytesMax, Func<string, ServiceException> invalid, CancellationToken cancel)
    {
        if (request.ContentLength == 0)
            return default;
        if (request.ContentLength > bytesMax)
            throw invalid($"The body has {request.ContentLength} bytes: {bytesMax} are allowed.");
        var buffer = new ArrayBufferWriter<byte>((int)Math.Min(request.ContentLength ?? 4096, TrustedBytes));
        try
        {
            while (true)
            {
                var read = await request.Body.ReadAsync(buffer.GetMemory(4096), cancel);
                if (read == 0)
                    return buffer.WrittenMemory;
                buffer.Advance(read);
                if (buffer.WrittenCount > bytesMax)
                    throw invalid($"The body is longer than the {bytesMax} bytes that are allowed.");
            }
        }
        catch (BadHttpRequestException bad)
        {
            throw bad.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? invalid("The body is longer than allowed.")
                : invalid("The body did not arrive whole: its length is not what the headers say.");
        }
    }
}
