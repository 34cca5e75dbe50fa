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
    static readonly TimeSpan GoodbyeMax = TimeSpan.FromSeconds(2);
    static long number;
    int serving;
    TaskCompletionSource? nobodyLeft;

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
            catch (IOException failure)
            {
                // The system has no room to watch one more; the next may find some.
                LogFailure(logger, null, failure);
            }
            catch (Exception ended) when (ended is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return null;
            }
        }
    }

    async Task Serve(SocketConnection connection)
    {
        Interlocked.Increment(ref serving);
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
            if (Interlocked.Decrement(ref serving) == 0)
                Volatile.Read(ref nobodyLeft)?.TrySetResult();
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        socket.Dispose();
        return default;
    }

    /// <summary>Lets the connections that are served say goodbye: whoever serves them knows that it is over.</summary>
    public async ValueTask DisposeAsync()
    {
        socket.Dispose();
        var waited = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref nobodyLeft, waited);
        if (Volatile.Read(ref serving) == 0)
            return;
        try
        {
            await waited.Task.WaitAsync(GoodbyeMax, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            // Handshakes, and clients that do not read.
        }
    }

    [LoggerMessage(1, LogLevel.Error, "The connection from {Remote} could not be served")]
    static partial void LogFailure(ILogger logger, EndPoint? remote, Exception failure);
}
