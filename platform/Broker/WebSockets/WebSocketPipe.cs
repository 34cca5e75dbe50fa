using System.IO.Pipelines;
using System.Net.WebSockets;

namespace Althing.Broker.WebSockets;

/// <summary>
/// MQTT's byte stream in the binary frames of a WebSocket. Where frames end means nothing: a packet may span several, and one may hold
/// many. [MQTT-6.0.0-2] An idle connection holds no buffer.
/// </summary>
sealed class WebSocketPipe(WebSocket socket)
{
    const int ReadBytesMin = 2048;

    /// <summary>Bytes that have arrived and that the connection has not looked at: beyond these the client is not read from.</summary>
    const int WaitingBytesMax = 64 * 1024;

    readonly Pipe received = new(new(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: WaitingBytesMax, resumeWriterThreshold: WaitingBytesMax / 2, useSynchronizationContext: false));

    public PipeReader Input => received.Reader;
    public WebSocketWriter Output { get; } = new(socket);

    /// <summary>Whether the client sent a Close frame.</summary>
    public bool ClosedByClient { get; private set; }

    /// <summary>Reads until either side ends the connection. No exception leaves it: a broken stream is an ended one.</summary>
    public async Task Receive()
    {
        var output = received.Writer;
        try
        {
            while (await WaitForBytes())
            {
                var result = await socket.ReceiveAsync(output.GetMemory(ReadBytesMin), CancellationToken.None);
                output.Advance(result.Count);
                if ((await output.FlushAsync()).IsCompleted)
                    break;
            }
        }
        catch (Exception broken) when (IsBroken(broken))
        {
            // The reader sees the end of the stream.
        }
        await output.CompleteAsync();
    }

    /// <summary>Waits without a buffer for a binary frame that has bytes; false at the end.</summary>
    async ValueTask<bool> WaitForBytes()
    {
        while (true)
        {
            var next = await socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
            if (next.MessageType == WebSocketMessageType.Close)
            {
                ClosedByClient = true;
                return false;
            }
            // [MQTT-6.0.0-1]
            if (next.MessageType == WebSocketMessageType.Text)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.InvalidMessageType, "MQTT travels in binary frames", CancellationToken.None);
                return false;
            }
            if (!next.EndOfMessage)
                return true;
        }
    }

    /// <summary>Says goodbye, and waits a moment for the client's answer.</summary>
    public async Task Close(Task receiving, TimeSpan patience, TimeProvider time)
    {
        await received.Reader.CompleteAsync();
        try
        {
            await Goodbye(receiving).WaitAsync(patience, time);
        }
        catch (Exception broken) when (IsBroken(broken) || broken is TimeoutException)
        {
            // Gone, or not listening: what could be said has been.
        }
        socket.Abort();
        await receiving;
    }

    async Task Goodbye(Task receiving)
    {
        if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        await receiving;
        // What the client had sent meanwhile is read, or the end of the connection would overtake the Close frame.
        var ignored = new byte[256];
        while (!ClosedByClient && socket.State == WebSocketState.CloseSent)
            ClosedByClient = (await socket.ReceiveAsync(ignored.AsMemory(), CancellationToken.None)).MessageType == WebSocketMessageType.Close;
    }

    static bool IsBroken(Exception failure) => failure is WebSocketException or IOException or InvalidOperationException or OperationCanceledException;
}
