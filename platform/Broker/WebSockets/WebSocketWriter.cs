using System.Buffers;
using System.IO.Pipelines;
using System.Net.WebSockets;

namespace Althing.Broker.WebSockets;

/// <summary>Sends what is written as binary frames: one for each flush, whatever packets are in it. Hot path.</summary>
sealed class WebSocketWriter(WebSocket socket) : PipeWriter
{
    const int BufferBytesMin = 1024;

    byte[] buffer = [];
    int length;

    public override bool CanGetUnflushedBytes => true;
    public override long UnflushedBytes => length;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return buffer.AsMemory(length);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return buffer.AsSpan(length);
    }

    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, buffer.Length - length);
        length += bytes;
    }

    void Reserve(int bytes)
    {
        if (buffer.Length - length >= bytes)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(BufferBytesMin, length + bytes));
        buffer.AsSpan(0, length).CopyTo(larger);
        Return();
        buffer = larger;
    }

    void Return()
    {
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        if (length == 0)
            return Send(source, cancellationToken);
        source.Span.CopyTo(GetSpan(source.Length));
        Advance(source.Length);
        return FlushAsync(cancellationToken);
    }

    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (length == 0)
            return default;
        var sent = await Send(buffer.AsMemory(0, length), cancellationToken);
        length = 0;
        Return();
        return sent;
    }

    async ValueTask<FlushResult> Send(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        try
        {
            await socket.SendAsync(bytes, WebSocketMessageType.Binary, endOfMessage: true, cancel);
            return default;
        }
        catch (WebSocketException broken)
        {
            throw new IOException("The WebSocket broke: " + broken.Message, broken);
        }
    }

    public override void CancelPendingFlush() { }

    public override void Complete(Exception? exception = null)
    {
        length = 0;
        Return();
    }
}
