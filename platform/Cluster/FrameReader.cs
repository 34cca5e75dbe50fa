using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Althing.Cluster;

/// <summary>Reads frames where they arrived: what it answers is good until the next.</summary>
sealed class FrameReader(PipeReader input)
{
    ReadOnlySequence<byte> unread;
    byte[] joined = [];
    bool isReading;
    bool hasEnded;

    /// <exception cref="IOException">The other node ended the connection, or what comes is no frame.</exception>
    public async ValueTask<(FrameKind Kind, ReadOnlyMemory<byte> Body)> Next(int bytesMax = Frames.BytesMax)
    {
        while (true)
        {
            if (TryTake(bytesMax, out var kind, out var body))
                return (kind, body);
            if (isReading)
                input.AdvanceTo(unread.Start, unread.End);
            isReading = false;
            if (hasEnded)
                throw new IOException("The other node ended the connection.");
            var result = await input.ReadAsync();
            (unread, hasEnded, isReading) = (result.Buffer, result.IsCompleted || result.IsCanceled, true);
        }
    }

    /// <summary>The next frame has arrived.</summary>
    public bool HasNext => BodyBytes() is { } length && unread.Length >= Frames.HeaderBytes + length;

    int? BodyBytes()
    {
        if (unread.Length < Frames.HeaderBytes)
            return null;
        Span<byte> header = stackalloc byte[4];
        unread.Slice(0, 4).CopyTo(header);
        return BinaryPrimitives.ReadInt32BigEndian(header);
    }

    bool TryTake(int bytesMax, out FrameKind kind, out ReadOnlyMemory<byte> body)
    {
        (kind, body) = (default, default);
        if (BodyBytes() is not { } length)
            return false;
        if (length < 0 || length > bytesMax)
            throw new IOException($"Another node announced a frame of {length} bytes.");
        if (unread.Length < Frames.HeaderBytes + length)
            return false;
        kind = (FrameKind)unread.Slice(4, 1).FirstSpan[0];
        body = Joined(unread.Slice(Frames.HeaderBytes, length));
        unread = unread.Slice(Frames.HeaderBytes + length);
        return true;
    }

    ReadOnlyMemory<byte> Joined(ReadOnlySequence<byte> body)
    {
        if (body.IsSingleSegment)
            return body.First;
        var length = (int)body.Length;
        if (joined.Length < length)
            joined = GC.AllocateUninitializedArray<byte>(length);
        body.CopyTo(joined);
        return joined.AsMemory(0, length);
    }
}
