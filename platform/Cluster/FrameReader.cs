using System.Buffers;
using System.Buffers.Binary;

namespace Althing.Cluster;

/// <summary>Reads frames into memory of its own: what it answers is good until the next.</summary>
sealed class FrameReader(Stream stream) : IDisposable
{
    readonly byte[] header = new byte[Frames.HeaderBytes];
    byte[] body = ArrayPool<byte>.Shared.Rent(1 << 16);

    /// <exception cref="IOException">The stream ended, or what comes is no frame.</exception>
    public async ValueTask<(FrameKind Kind, ReadOnlyMemory<byte> Body)> Next(CancellationToken cancel)
    {
        await stream.ReadExactlyAsync(header, cancel);
        var length = BinaryPrimitives.ReadInt32BigEndian(header);
        if (length is < 0 or > Frames.BytesMax)
            throw new IOException($"Another node announced a frame of {length} bytes.");
        if (body.Length < length)
        {
            ArrayPool<byte>.Shared.Return(body);
            body = [];
            body = ArrayPool<byte>.Shared.Rent(length);
        }
        await stream.ReadExactlyAsync(body.AsMemory(0, length), cancel);
        return ((FrameKind)header[4], body.AsMemory(0, length));
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(body);
        body = [];
    }
}
