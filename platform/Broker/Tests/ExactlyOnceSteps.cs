using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Tests.Broker;

/// <summary>The four packets of QoS 2, one by one, for a <see cref="TestClient"/>.</summary>
static class ExactlyOnceSteps
{
    public static Task SendAck(this TestClient client, PacketType type, ushort id, ReasonCode reason = ReasonCode.Success) =>
        client.Send(b => new AcknowledgePacket(id, reason).Write(b, type, reason == ReasonCode.Success ? MqttVersion.V311 : MqttVersion.V5));

    /// <summary>The next packet must be this acknowledgement, messages aside.</summary>
    public static async Task<ReasonCode> ExpectAck(this TestClient client, PacketType type, ushort id)
    {
        var packet = AcknowledgePacket.Read(await client.Expect(type), MqttVersion.V5);
        Assert.Equal(id, packet.PacketId);
        return packet.Reason;
    }

    /// <summary>Publishes with QoS 2 to the end.</summary>
    public static async Task PublishOnce(this TestClient client, string topic, string payload, bool retain = false, ushort id = 1, PacketProperties? properties = null)
    {
        await client.Publish(topic, payload, 2, retain, id, properties);
        Assert.Equal(ReasonCode.Success, await client.ExpectAck(PacketType.PubRec, id));
        await client.SendAck(PacketType.PubRel, id);
        Assert.Equal(ReasonCode.Success, await client.ExpectAck(PacketType.PubComp, id));
    }

    /// <summary>Takes a message of QoS 2 to the end.</summary>
    public static async Task<Got> MessageOnce(this TestClient client)
    {
        var got = await client.Message();
        Assert.Equal(2, got.QoS);
        await client.SendAck(PacketType.PubRec, got.PacketId);
        await client.ExpectAck(PacketType.PubRel, got.PacketId);
        await client.SendAck(PacketType.PubComp, got.PacketId);
        return got;
    }
}
