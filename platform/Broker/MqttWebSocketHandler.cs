using System.Net.WebSockets;
using Althing.Broker.WebSockets;

namespace Althing.Broker;

/// <summary>Serves MQTT on WebSockets that were accepted with the sub-protocol <see cref="SubProtocol"/>.</summary>
public sealed class MqttWebSocketHandler(MqttBroker broker, IDeviceAuthority authority)
{
    /// <summary>The name that MQTT has among WebSocket's sub-protocols. [MQTT-6.0.0-3]</summary>
    public const string SubProtocol = "mqtt";

    /// <summary>How long a client may take to answer a Close frame.</summary>
    static readonly TimeSpan GoodbyeMax = TimeSpan.FromSeconds(2);

    /// <summary>Serves the client until either side ends the connection.</summary>
    /// <param name="remoteAddress">The client's address and port, for events and logs.</param>
    public async Task Serve(WebSocket socket, ClientOrigin origin, string remoteAddress)
    {
        var pipe = new WebSocketPipe(socket);
        var receiving = pipe.Receive();
        var transport = new ClientTransport(pipe.Input, pipe.Output, origin, remoteAddress, socket.Abort) { SaidGoodbye = () => pipe.ClosedByClient };
        await new MqttConnection(broker, authority, transport).Run();
        await pipe.Close(receiving, GoodbyeMax, broker.Time);
    }
}
