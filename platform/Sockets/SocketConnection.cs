using System.Globalization;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Althing.Sockets;

/// <summary>A feature of connections that are served on event loops.</summary>
public interface ILoopConnection
{
    /// <summary>Lets go of all features, and with them of the client's certificate: they are for letting the client in, which is done.</summary>
    void ForgetFeatures();
}

sealed class SocketConnection : ConnectionContext, ILoopConnection
{
    readonly SocketPipe pipe;
    readonly long number;
    IFeatureCollection? features;
    IDictionary<object, object?>? items;
    string? id;

    public SocketConnection(Socket socket, long number)
    {
        this.number = number;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        pipe = new(Descriptor.TakeFrom(socket));
        try
        {
            pipe.Open();
        }
        catch
        {
            pipe.Close();
            throw;
        }
        Features.Set<ILoopConnection>(this);
    }

    /// <summary>The connection's own bytes, for what stands between them and the transport.</summary>
    public SocketPipe Pipe => pipe;

    public override string ConnectionId { get => id ??= "L" + number.ToString(CultureInfo.InvariantCulture); set => id = value; }
    public override IFeatureCollection Features => features ??= new FeatureCollection(initialCapacity: 6);
    public override IDictionary<object, object?> Items { get => items ??= new Dictionary<object, object?>(); set => items = value; }
    public override System.IO.Pipelines.IDuplexPipe Transport { get => pipe; set => throw new NotSupportedException("The transport of a socket on an event loop is the socket."); }

    public void ForgetFeatures()
    {
        (features?.Get<Tls.TlsFeatures>())?.Dispose();
        features = null;
    }

    public override void Abort(ConnectionAbortedException abortReason) => pipe.Abort();

    public override ValueTask DisposeAsync()
    {
        ForgetFeatures();
        pipe.Close();
        return base.DisposeAsync();
    }
}
