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

    /// <summary>Then it is asked for a sign of life; after as long again the connection is given up, and dialled anew.</summary>
    const int SilentSecondsMax = 5;

    /// <summary>tcp(7): how long what was sent may stay without an acknowledgement, in milliseconds.</summary>
    const int TcpLevel = 6;
    const int UserTimeout = 18;

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

    /// <summary>Who the other end has proved to be; null for a plain wire.</summary>
    public string? Node { get; private init; }

    /// <param name="socket">Connected, and nothing was awaited on it; the wire's from now on.</param>
    static Wire Plain(Socket socket)
    {
        socket.NoDelay = true;
        if (!OperatingSystem.IsLinux())
            return Over(new NetworkStream(socket, ownsSocket: true));
        var looped = new LoopSocket(socket, ReadBytes);
        return new(looped.Input, looped.Output, looped.Loop, looped.Abort, looped);
    }

    /// <summary>The way to a node: encrypted where its address says so, plain on loopback alone.</summary>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">Another one listens there.</exception>
    public static async Task<Wire> Dial(NodeAddress address, string node, NodeTls tls, CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.IsSecure)
            {
                await socket.ConnectAsync(address.Target, cancel);
                return Over(await tls.Dial(Guarded(socket), node, cancel), node);
            }
            // On one machine this takes no time; and once it were awaited, the runtime's own loop would watch the socket for ever.
            socket.Connect(address.Target);
            return Plain(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The way from a node that dialled.</summary>
    /// <param name="tls">Null for plain, on loopback.</param>
    public static async Task<Wire> Answer(Socket socket, NodeTls? tls, CancellationToken cancel)
    {
        try
        {
            if (tls is null)
                return Plain(socket);
            var (stream, node) = await tls.Answer(Guarded(socket), cancel);
            return Over(stream, node);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Between machines the other end may vanish without a word.</summary>
    static NetworkStream Guarded(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, SilentSecondsMax);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 1);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, SilentSecondsMax);
        if (OperatingSystem.IsLinux())
            socket.SetRawSocketOption(TcpLevel, UserTimeout, BitConverter.GetBytes(2 * SilentSecondsMax * 1000));
        return new(socket, ownsSocket: true);
    }

    static Wire Over(Stream stream, string? node = null) =>
        new(PipeReader.Create(stream, new(bufferSize: ReadBytes, minimumReadSize: ReadBytes / 4, leaveOpen: true)), PipeWriter.Create(stream, new(leaveOpen: true)), null, stream.Dispose, stream) { Node = node };

    /// <summary>One caller at a time.</summary>
    public async ValueTask Write(ReadOnlyMemory<byte> bytes) => await output.WriteAsync(bytes);

    /// <summary>Who reads or writes fails from now on.</summary>
    public void Abort() => abort();

    public void Dispose() => owned.Dispose();
}
