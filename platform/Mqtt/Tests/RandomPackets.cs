using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Tests.Mqtt;

/// <summary>Valid packets of all kinds from a seed, and damaged ones.</summary>
sealed class RandomPackets(int seed)
{
    readonly Random random = new(seed);

    public Random Random => random;

    public byte[] Valid(MqttVersion version)
    {
        using var buffer = new PacketBuffer();
        Write(buffer, version);
        return buffer.Written.ToArray();
    }

    /// <summary>A packet that a client sends after CONNECT, or CONNECT itself, or one that only servers send.</summary>
    void Write(PacketBuffer buffer, MqttVersion version)
    {
        var id = (ushort)random.Next(1, 50);
        switch (random.Next(12))
        {
            case 0: Connect(version, Text(20)).Write(buffer); break;
            case 1 or 2 or 3:
                var qos = random.Next(3);
                PublishPacket.Write(buffer, version, Topic(), Payload(200), qos, Chance, qos > 0 && Chance, id, version == MqttVersion.V5 ? Properties() : null);
                break;
            case 4 or 5: new AcknowledgePacket(id, ReasonCode.Success).Write(buffer, (PacketType)random.Next(4, 8), version); break;
            case 6: new SubscribePacket(id, Entries(), version == MqttVersion.V5 && Chance ? new() { SubscriptionIdentifiers = [random.Next(1, 1000)] } : null).Write(buffer, version); break;
            case 7: new UnsubscribePacket(id, [Topic(), Topic()]).Write(buffer, version); break;
            case 8: buffer.Raw(PingPacket.Request); break;
            case 9: new DisconnectPacket(ReasonCode.Success, Chance ? new() { ReasonString = Text(10), SessionExpirySeconds = 5 } : null).Write(buffer, version); break;
            case 10: new AuthPacket(ReasonCode.ContinueAuthentication, new() { AuthenticationMethod = Text(5), AuthenticationData = Payload(9) }).Write(buffer); break;
            case 11: new SubAckPacket(id, [ReasonCode.Success, ReasonCode.NotAuthorized], Text(5)).Write(buffer, PacketType.SubAck, version); break;
        }
    }

    public ConnectPacket Connect(MqttVersion version, string clientId, string userName = "111111111111") => new()
    {
        Version = version,
        ClientId = clientId,
        CleanStart = Chance,
        KeepAliveSeconds = (ushort)random.Next(ushort.MaxValue),
        UserName = userName,
        Password = "secret"u8.ToArray(),
        Will = Chance ? new(Topic(), Payload(50), random.Next(3), Chance, version == MqttVersion.V5 && Chance ? new() { WillDelaySeconds = 3, ContentType = Text(5) } : null) : null,
        Properties = version != MqttVersion.V5 ? null : new() { ReceiveMaximum = (ushort)random.Next(1, 100), SessionExpirySeconds = (uint)random.Next(100), TopicAliasMaximum = (ushort)random.Next(20) },
    };

    /// <summary>The packet with some of its bytes changed, left out, added, doubled, or cut off.</summary>
    public byte[] Damaged(byte[] packet)
    {
        List<byte> bytes = [.. packet];
        for (var times = random.Next(1, 4); times > 0 && bytes.Count > 0; times--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes.RemoveAt(at); break;
                case 3: bytes.Insert(at, (byte)random.Next(256)); break;
                case 4: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(bytes.Count - at, random.Next(1, 20)))); break;
                case 5: bytes.RemoveRange(at, bytes.Count - at); break;
            }
        }
        return [.. bytes];
    }

    bool Chance => random.Next(2) == 0;

    byte[] Payload(int most)
    {
        var bytes = new byte[random.Next(most)];
        random.NextBytes(bytes);
        return bytes;
    }

    string Text(int most) => new([.. Enumerable.Range(0, random.Next(1, most)).Select(_ => (char)random.Next('a', 'z'))]);

    string Topic() => random.Next(4) switch { 0 => "fuzz/" + Text(8), 1 => "fuzz", 2 => "fuzz/a/b/c", _ => "fuzz/é" };

    List<SubscribeEntry> Entries() =>
        [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => new SubscribeEntry(Chance ? "fuzz/+" : Chance ? "$share/g/fuzz/#" : Topic(), random.Next(3)))];

    PacketProperties? Properties() => Chance ? null : new()
    {
        PayloadIsUtf8 = Chance ? true : null,
        MessageExpirySeconds = Chance ? 30 : null,
        ContentType = Chance ? Text(6) : null,
        ResponseTopic = Chance ? Text(6) : null,
        CorrelationData = Chance ? Payload(20) : null,
        TopicAlias = Chance ? (ushort)random.Next(1, 9) : null,
        UserProperties = Chance ? [new(Text(4), Text(4)), new(Text(4), Text(4))] : null,
    };
}
