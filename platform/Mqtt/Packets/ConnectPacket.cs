namespace Althing.Mqtt.Packets;

/// <summary>CONNECT (section 3.1).</summary>
public sealed record ConnectPacket
{
    public required MqttVersion Version { get; init; }
    public required bool CleanStart { get; init; }
    public required ushort KeepAliveSeconds { get; init; }
    public required string ClientId { get; init; }
    public string? UserName { get; init; }
    public byte[]? Password { get; init; }
    public WillMessage? Will { get; init; }
    public PacketProperties? Properties { get; init; }

    /// <summary>The version a CONNECT claims, however broken the rest of it is; 3.1.1 when it claims none that there is.</summary>
    public static MqttVersion VersionOf(ReadOnlySpan<byte> body) => body.Length > 6 && body[..6].SequenceEqual("\0\u0004MQTT"u8) && body[6] == (byte)MqttVersion.V5
        ? MqttVersion.V5 : MqttVersion.V311;

    public static ConnectPacket Read(ReadOnlySpan<byte> body)
    {
        var reader = new PacketReader(body);
        if (reader.String() is not "MQTT")
            throw new MalformedPacketException(ReasonCode.UnsupportedProtocolVersion, "The protocol name is not MQTT.");
        var version = (MqttVersion)reader.Byte();
        if (version is not (MqttVersion.V311 or MqttVersion.V5))
            throw new MalformedPacketException(ReasonCode.UnsupportedProtocolVersion, $"Protocol level {(byte)version} is not supported; 4 (3.1.1) and 5 (5.0) are.");
        var flags = reader.Byte();
        CheckFlags(flags, version);
        var keepAlive = reader.UInt16();
        var properties = version == MqttVersion.V5 ? PacketProperties.Read(ref reader, AllowedProperties.Connect) : null;
        if (properties is { AuthenticationData: not null, AuthenticationMethod: null })
            throw new MalformedPacketException(ReasonCode.ProtocolError, "CONNECT has authentication data but no method.");
        var clientId = reader.String();
        WillMessage? will = null;
        if ((flags & 0x04) != 0)
        {
            var willProperties = version == MqttVersion.V5 ? PacketProperties.Read(ref reader, AllowedProperties.Will) : null;
            PublishPacket.CheckResponseTopic(willProperties);
            var topic = reader.String();
            if (!Topic.IsValidName(topic))
                throw new MalformedPacketException(ReasonCode.TopicNameInvalid, "The will topic is not a valid topic name.");
            will = new(topic, reader.Binary().ToArray(), (flags >> 3) & 3, (flags & 0x20) != 0, willProperties);
        }
        var userName = (flags & 0x80) != 0 ? reader.String() : null;
        var password = (flags & 0x40) != 0 ? reader.Binary().ToArray() : null;
        reader.End();
        return new()
        {
            Version = version,
            CleanStart = (flags & 0x02) != 0,
            KeepAliveSeconds = keepAlive,
            ClientId = clientId,
            UserName = userName,
            Password = password,
            Will = will,
            Properties = properties,
        };
    }

    static void CheckFlags(byte flags, MqttVersion version)
    {
        if ((flags & 1) != 0)
            throw new MalformedPacketException(ReasonCode.MalformedPacket, "The reserved flag of CONNECT is set. [MQTT-3.1.2-3]");
        if ((flags & 0x04) == 0 && (flags & 0x38) != 0)
            throw new MalformedPacketException(ReasonCode.MalformedPacket, "CONNECT has will flags but no will. [MQTT-3.1.2-11]");
        if ((flags & 0x18) == 0x18)
            throw new MalformedPacketException(ReasonCode.MalformedPacket, "The will's QoS is 3. [MQTT-3.1.2-12]");
        if (version == MqttVersion.V311 && (flags & 0xC0) == 0x40)
            throw new MalformedPacketException(ReasonCode.MalformedPacket, "CONNECT has a password but no user name. [MQTT-3.1.2-22]");
    }

    public void Write(PacketBuffer buffer)
    {
        buffer.Byte((byte)PacketType.Connect << 4);
        var mark = buffer.BeginLength();
        buffer.String("MQTT");
        buffer.Byte((byte)Version);
        var flags = (CleanStart ? 0x02 : 0) | (UserName is null ? 0 : 0x80) | (Password is null ? 0 : 0x40);
        if (Will is not null)
            flags |= 0x04 | (Will.QoS << 3) | (Will.Retain ? 0x20 : 0);
        buffer.Byte((byte)flags);
        buffer.UInt16(KeepAliveSeconds);
        if (Version == MqttVersion.V5)
            PacketProperties.Write(buffer, Properties);
        buffer.String(ClientId);
        if (Will is not null)
        {
            if (Version == MqttVersion.V5)
                PacketProperties.Write(buffer, Will.Properties);
            buffer.String(Will.Topic);
            buffer.Binary(Will.Payload);
        }
        if (UserName is not null)
            buffer.String(UserName);
        if (Password is not null)
            buffer.Binary(Password);
        buffer.EndLength(mark);
    }
}

/// <summary>The message that the server publishes when the connection ends without DISCONNECT.</summary>
public sealed record WillMessage(string Topic, byte[] Payload, int QoS, bool Retain, PacketProperties? Properties);
