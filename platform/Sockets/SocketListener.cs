using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Althing.Sockets;

/// <summary>An address whose connections are served on event loops, where the system has them.</summary>
public sealed class LoopEndPoint(IPAddress address, int port) : IPEndPoint(address, port);

/// <summary>Listens for Kestrel on every <see cref="LoopEndPoint"/>. Linux only; elsewhere Kestrel's own sockets serve those too.</summary>
public sealed class SocketListenerFactory : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is LoopEndPoint && OperatingSystem.IsLinux();

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(endpoint);
            socket.Listen(backlog: 4096);
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
        return new(new SocketListener(socket));
    }
}

sealed class SocketListener(Socket socket) : IConnectionListener
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
                return new SocketConnection(accepted, $"L{Interlocked.Increment(ref number)}");
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

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => DisposeAsync();

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return default;
    }
}

sealed class SocketConnection : ConnectionContext
{
    readonly SocketPipe pipe;
    IDictionary<object, object?>? items;

    public SocketConnection(Socket socket, string id)
    {
        ConnectionId = id;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        pipe = new(socket);
        Transport = pipe;
        pipe.Open();
    }

    public override string ConnectionId { get; set; }
    public override IFeatureCollection Features { get; } = new FeatureCollection(initialCapacity: 4);
    public override IDictionary<object, object?> Items { get => items ??= new Dictionary<object, object?>(); set => items = value; }
    public override System.IO.Pipelines.IDuplexPipe Transport { get; set; }

    public override void Abort(ConnectionAbortedException abortReason) => pipe.Abort();

    public override ValueTask DisposeAsync()
    {
        pipe.Close();
        return base.DisposeAsync();
    }
}
