using System.Net;
using System.Net.Sockets;
using Althing.Sockets;
using Althing.Sockets.Tls;

namespace Althing.Bench;

/// <summary>A client's mutual TLS with OpenSSL right on a socket that blocks: as little work as a client can have, the same for all servers.</summary>
sealed class SecureClient : IDisposable
{
    const int PatienceMilliseconds = 5_000;
    readonly Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    TlsSession? tls;

    /// <summary>Connects and makes the handshake.</summary>
    /// <param name="made">The state of OpenSSL's that begins it.</param>
    public SecureClient(Server server, nint made)
    {
        try
        {
            socket.Connect(IPAddress.Loopback, server.TlsPort);
            socket.ReceiveTimeout = PatienceMilliseconds;
        }
        catch
        {
            OpenSsl.Free(made);
            socket.Dispose();
            throw;
        }
        tls = new(Fd, made);
        if (tls.Handshake() is var step and not TlsStep.Done)
        {
            var why = tls.Failure;
            Dispose();
            throw new IOException($"No handshake with {server.Name}: {step} {why}");
        }
    }

    int Fd => (int)socket.Handle;

    public void Send(ReadOnlySpan<byte> bytes)
    {
        if (tls!.Write(bytes) != bytes.Length)
            throw new IOException("The server takes no bytes.");
    }

    public void Receive(Span<byte> bytes)
    {
        if (tls!.Read(bytes, out _) != bytes.Length)
            throw new IOException("The server sent too little.");
    }

    /// <summary>Takes the connection for one who asks epoll.</summary>
    public (Socket Socket, TlsSession Tls) Take()
    {
        Descriptor.NeverBlock(Fd);
        var mine = tls!;
        tls = null;
        return (socket, mine);
    }

    public void Dispose()
    {
        tls?.Dispose();
        socket.Dispose();
    }
}
