using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Althing.Sockets;

/// <summary>An address whose connections are served on event loops, where the system has them.</summary>
public sealed class LoopEndPoint(IPAddress address, int port) : IPEndPoint(address, port)
{
    /// <summary>
    /// Serves each connection, past Kestrel's list of connections and what that keeps for each. Without it Kestrel serves them, as it does
    /// where there are no event loops.
    /// </summary>
    public ConnectionDelegate? Serve { get; init; }
}

/// <summary>Listens for Kestrel on every <see cref="LoopEndPoint"/>. Linux only; elsewhere Kestrel's own sockets serve those too.</summary>
public sealed class SocketListenerFactory(ILoggerFactory? loggers = null) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    /// <summary>A fleet that comes back at once waits in the kernel, which may hold fewer.</summary>
    const int Backlog = 16_384;

    public bool CanBind(EndPoint endpoint) => endpoint is LoopEndPoint && OperatingSystem.IsLinux();

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endpoint is IPEndPoint { Address: var address } && address.Equals(IPAddress.IPv6Any))
                socket.DualMode = true;
            socket.Bind(endpoint);
            socket.Listen(Backlog);
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            throw new AddressInUseException(failure.Message, failure);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        return new(new SocketListener(socket, (endpoint as LoopEndPoint)?.Serve, (loggers ?? NullLoggerFactory.Instance).CreateLogger<SocketListener>()));
    }
}

sealed partial class SocketListener(Socket socket, ConnectionDelegate? serve, ILogger logger) : IConnectionListener
{
    static long number;

    public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                var accepted = await socket.AcceptAsync(cancellationToken);
                accepted.NoDelay = true;
                var connection = new SocketConnection(accepted, Interlocked.Increment(ref number));
                if (serve is null)
                    return connection;
                ThreadPool.UnsafeQueueUserWorkItem(static c => _ = c.Listener.Serve(c.Connection), (Listener: this, Connection: connection), preferLocal: false);
            }
            catch (SocketException gone) when (gone.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.NotConnected or SocketError.InvalidArgument)
            {
                // The client left before it was let in.
            }
            catch (Exception ended) when (ended is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return null;
            }
        }
    }

    async Task Serve(SocketConnection connection)
    {
        try
        {
            await serve!(connection);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogFailure(logger, connection.RemoteEndPoint, failure);
        }
        finally
        {
            await connection.DisposeAsync();
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => DisposeAsync();

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return default;
    }

    [LoggerMessage(1, LogLevel.Error, "The connection from {Remote} could not be served")]
    static partial void LogFailure(ILogger logger, EndPoint? remote, Exception failure);
}
