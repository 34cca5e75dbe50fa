using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Althing.Sockets;

namespace Althing.Cluster;

/// <summary>The bytes to and from another node.</summary>
sealed class Wire : IDisposable
{
    /// <summary>Much at once: what is read together is written to each receiver together.</summary>
    const int ReadBytes = 1 << 18;

    readonly Action abort;
    readonly IDisposable owned;
    readonly PipeWriter output;

    Wire(PipeReader input, PipeWriter output, EventLoop? loop, Action abort, IDisposable owned)
    {
        (Frames, this.output, Loop, this.abort, this.owned) = (new(input), output, loop, abort, owned);
    }

    public FrameReader Frames { get; }

    /// <summary>Where reading goes on; null for the thread pool.</summary>
    public EventLoop? Loop { get; }

    /// <param name="socket">Connected, and nothing was awaited on it; the wire's from now on.</param>
    public static Wire Plain(Socket socket)
    {
        socket.NoDelay = true;
        if (!OperatingSystem.IsLinux())
            return Over(new NetworkStream(socket, ownsSocket: true));
        var looped = new LoopSocket(socket, ReadBytes);
        return new(looped.Input, looped.Output, looped.Loop, looped.Abort, looped);
    }

    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static async Task<Wire> Dial(IPEndPoint address, CancellationToken cancel)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            // On one machine this takes no time; and once it were awaited, the runtime's own loop would watch the socket for ever.
            socket.Connect(address);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        return Plain(socket);
    }

    static Wire Over(Stream stream) =>
        new(PipeReader.Create(stream, new(bufferSize: ReadBytes, minimumReadSize: ReadBytes / 4, leaveOpen: true)), PipeWriter.Create(stream, new(leaveOpen: true)), null, stream.Dispose, stream);

    /// <summary>One caller at a time.</summary>
    public async ValueTask Write(ReadOnlyMemory<byte> bytes) => await output.WriteAsync(bytes);

    /// <summary>Who reads or writes fails from now on.</summary>
    public void Abort() => abort();

    public void Dispose() => owned.Dispose();
}
