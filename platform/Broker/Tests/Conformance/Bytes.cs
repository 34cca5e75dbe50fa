using Althing.Mqtt;

namespace Althing.Tests.Broker.Conformance;

/// <summary>Packets byte by byte, right ones and wrong ones.</summary>
static class Bytes
{
    public static readonly byte[] BrokenUtf8 = [0, 3, (byte)'a', 0xED, 0xA0];
    public static readonly byte[] Surrogate = [0, 3, 0xED, 0xA0, 0x80];
    public static readonly byte[] Null = [0, 3, (byte)'a', 0, (byte)'b'];

    /// <summary>A packet with a first byte and a body; its length is right.</summary>
    public static byte[] Packet(int first, Action<PacketBuffer> body)
    {
        using var buffer = new PacketBuffer();
        buffer.Byte((byte)first);
        var mark = buffer.BeginLength();
        body(buffer);
        buffer.EndLength(mark);
        return buffer.Written.ToArray();
    }

    /// <summary>A CONNECT with any flags and fields.</summary>
    public static byte[] Connect(MqttVersion version, int flags, Action<PacketBuffer> payload, string name = "MQTT", byte? level = null) => Packet(0x10, b =>
    {
        b.String(name);
        b.Byte(level ?? (byte)version);
        b.Byte((byte)flags);
        b.UInt16(60);
        if (version == MqttVersion.V5)
            b.Byte(0);
        payload(b);
    });

    /// <summary>The user name and password that the toy authority lets in.</summary>
    public static void Secret(this PacketBuffer buffer)
    {
        buffer.String("111111111111");
        buffer.Binary("secret"u8);
    }

    /// <summary>Sends a first packet and expects that the broker closes; answers the CONNACK's code, or null when there is none.</summary>
    public static async Task<int?> RefusedFirst(this BrokerHouse house, byte[] packet, MqttVersion version)
    {
        await using var client = await TestClient.Open(house.Port, version);
        await client.Raw(packet);
        return await client.ClosedAfter();
    }

    /// <summary>Sends a packet on a new connection and expects that the broker closes; answers its reason.</summary>
    public static async Task<ReasonCode?> Refused(this BrokerHouse house, byte[] packet, MqttVersion version)
    {
        await using var client = await house.Connect("sender-of-wrong-packets", c => c.Version = version);
        await client.Raw(packet);
        return await client.Closed();
    }
}
