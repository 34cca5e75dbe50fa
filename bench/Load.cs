using System.Net;
using System.Net.Sockets;
using System.Text;
using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Bench;

/// <summary>What all benchmarks need to speak MQTT.</summary>
static class Load
{
    public static async Task SendAll(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
            bytes = bytes[await socket.SendAsync(bytes)..];
    }

    public static async Task<Socket> Connect(Server server, string clientId, bool cleanStart = true)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, server.Port);
        using var packet = new PacketBuffer();
        new ConnectPacket
        {
            Version = MqttVersion.V311, CleanStart = cleanStart, KeepAliveSeconds = 600, ClientId = clientId, UserName = server.User,
            Password = server.Password is { } password ? Encoding.UTF8.GetBytes(password) : null,
        }.Write(packet);
        await SendAll(socket, packet.Written);
        var answer = new byte[4];
        await ReceiveAll(socket, answer);
        return answer[3] == 0 ? socket : throw new InvalidOperationException($"{server.Name} refused {clientId} with {answer[3]}.");
    }

    public static async Task Subscribe(Socket socket, string filter, int qos)
    {
        using var packet = new PacketBuffer();
        new SubscribePacket(1, [new(filter, qos)], null).Write(packet, MqttVersion.V311);
        await SendAll(socket, packet.Written);
        await ReceiveAll(socket, new byte[5]);
    }

    public static async Task ReceiveAll(Socket socket, Memory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var read = await socket.ReceiveAsync(bytes);
            bytes = read > 0 ? bytes[read..] : throw new IOException("The server closed the connection.");
        }
    }

    public static async Task WaitForPort(int port)
    {
        for (var i = 0; i < 200; i++)
        {
            try
            {
                using var tcp = new TcpClient();
                await tcp.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(25);
            }
        }
        throw new InvalidOperationException($"Nothing listens on port {port}.");
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
