namespace Althing.Mqtt;

/// <summary>The properties of MQTT 5.0 (section 2.2.2) of one packet; null where it has none of that kind.</summary>
public sealed class PacketProperties
{
    public bool? PayloadIsUtf8 { get; set; }
    public uint? MessageExpirySeconds { get; set; }
    public string? ContentType { get; set; }
    public string? ResponseTopic { get; set; }
    public byte[]? CorrelationData { get; set; }
    public List<int>? SubscriptionIdentifiers { get; set; }
    public uint? SessionExpirySeconds { get; set; }
    public string? AssignedClientId { get; set; }
    public ushort? ServerKeepAliveSeconds { get; set; }
    public string? AuthenticationMethod { get; set; }
    public byte[]? AuthenticationData { get; set; }
    public bool? RequestProblemInformation { get; set; }
    public uint? WillDelaySeconds { get; set; }
    public bool? RequestResponseInformation { get; set; }
    public string? ResponseInformation { get; set; }
    public string? ServerReference { get; set; }
    public string? ReasonString { get; set; }
    public ushort? ReceiveMaximum { get; set; }
    public ushort? TopicAliasMaximum { get; set; }
    public ushort? TopicAlias { get; set; }
    public byte? MaximumQoS { get; set; }
    public bool? RetainAvailable { get; set; }
    public List<KeyValuePair<string, string>>? UserProperties { get; set; }
    public uint? MaximumPacketSize { get; set; }
    public bool? WildcardSubscriptionAvailable { get; set; }
    public bool? SubscriptionIdentifierAvailable { get; set; }
    public bool? SharedSubscriptionAvailable { get; set; }

    /// <summary>Reads the property block at the reader's place; null when it is empty.</summary>
    /// <exception cref="MalformedPacketException">An unknown or repeated property, one that the packet cannot have, or a value out of range.</exception>
    public static PacketProperties? Read(ref PacketReader reader, AllowedProperties allowed)
    {
        var length = reader.VariableInteger();
        if (length == 0)
            return null;
        var block = new PacketReader(reader.Take(length));
        var properties = new PacketProperties();
        while (!block.AtEnd)
        {
            var id = block.VariableInteger();
            if (!allowed.Has(id))
                throw new MalformedPacketException(ReasonCode.MalformedPacket, $"The packet cannot have a property 0x{id:X2}.");
            properties.ReadOne(ref block, id);
        }
        return properties;
    }

    void ReadOne(ref PacketReader reader, int id)
    {
        switch (id)
        {
            case 0x01: PayloadIsUtf8 = Once(PayloadIsUtf8, Flag(reader.Byte())); break;
            case 0x02: MessageExpirySeconds = Once(MessageExpirySeconds, reader.UInt32()); break;
            case 0x03: ContentType = Once(ContentType, reader.String()); break;
            case 0x08: ResponseTopic = Once(ResponseTopic, reader.String()); break;
            case 0x09: CorrelationData = Once(CorrelationData, reader.Binary().ToArray()); break;
            case 0x0B: (SubscriptionIdentifiers ??= []).Add(NotZero(reader.VariableInteger())); break;
            case 0x11: SessionExpirySeconds = Once(SessionExpirySeconds, reader.UInt32()); break;
            case 0x12: AssignedClientId = Once(AssignedClientId, reader.String()); break;
            case 0x13: ServerKeepAliveSeconds = Once(ServerKeepAliveSeconds, reader.UInt16()); break;
            case 0x15: AuthenticationMethod = Once(AuthenticationMethod, reader.String()); break;
            case 0x16: AuthenticationData = Once(AuthenticationData, reader.Binary().ToArray()); break;
            case 0x17: RequestProblemInformation = Once(RequestProblemInformation, Flag(reader.Byte())); break;
            case 0x18: WillDelaySeconds = Once(WillDelaySeconds, reader.UInt32()); break;
            case 0x19: RequestResponseInformation = Once(RequestResponseInformation, Flag(reader.Byte())); break;
            case 0x1A: ResponseInformation = Once(ResponseInformation, reader.String()); break;
            case 0x1C: ServerReference = Once(ServerReference, reader.String()); break;
            case 0x1F: ReasonString = Once(ReasonString, reader.String()); break;
            case 0x21: ReceiveMaximum = Once(ReceiveMaximum, (ushort)NotZero(reader.UInt16())); break;
            case 0x22: TopicAliasMaximum = Once(TopicAliasMaximum, reader.UInt16()); break;
            case 0x23: TopicAlias = Once(TopicAlias, reader.UInt16()); break;
            case 0x24: MaximumQoS = Once(MaximumQoS, Flag(reader.Byte()) ? (byte)1 : (byte)0); break;
            case 0x25: RetainAvailable = Once(RetainAvailable, Flag(reader.Byte())); break;
            case 0x26: (UserProperties ??= []).Add(new(reader.String(), reader.String())); break;
            case 0x27: MaximumPacketSize = Once(MaximumPacketSize, NotZero(reader.UInt32())); break;
            case 0x28: WildcardSubscriptionAvailable = Once(WildcardSubscriptionAvailable, Flag(reader.Byte())); break;
            case 0x29: SubscriptionIdentifierAvailable = Once(SubscriptionIdentifierAvailable, Flag(reader.Byte())); break;
            case 0x2A: SharedSubscriptionAvailable = Once(SharedSubscriptionAvailable, Flag(reader.Byte())); break;
            default: throw new MalformedPacketException(ReasonCode.MalformedPacket, $"There is no property 0x{id:X2}.");
        }
    }

    static T Once<T>(T? before, T value) => before is null ? value : throw Error("A property stands twice.");
    static T Once<T>(T? before, T value) where T : struct => before is null ? value : throw Error("A property stands twice.");
    static bool Flag(byte value) => value <= 1 ? value == 1 : throw Error("A property that is 0 or 1 has another value.");
    static int NotZero(int value) => value > 0 ? value : throw Error("A property that must not be 0 is 0.");
    static uint NotZero(uint value) => value > 0 ? value : throw Error("A property that must not be 0 is 0.");
    static MalformedPacketException Error(string message) => new(ReasonCode.ProtocolError, message);

    /// <summary>Writes the property block of a PUBLISH with a topic alias, which the message's own properties do not have.</summary>
    public static void Write(PacketBuffer buffer, PacketProperties? properties, ushort topicAlias)
    {
        if (topicAlias == 0)
        {
            Write(buffer, properties);
            return;
        }
        var mark = buffer.BeginLength();
        Put(buffer, 0x23, topicAlias);
        properties?.WriteAll(buffer);
        buffer.EndLength(mark);
    }

    /// <summary>Writes a property block; an empty one for null.</summary>
    public static void Write(PacketBuffer buffer, PacketProperties? properties)
    {
        if (properties is null)
        {
            buffer.Byte(0);
            return;
        }
        var mark = buffer.BeginLength();
        properties.WriteAll(buffer);
        buffer.EndLength(mark);
    }

    void WriteAll(PacketBuffer buffer)
    {
        Put(buffer, 0x01, PayloadIsUtf8);
        Put(buffer, 0x02, MessageExpirySeconds);
        Put(buffer, 0x03, ContentType);
        Put(buffer, 0x08, ResponseTopic);
        Put(buffer, 0x09, CorrelationData);
        foreach (var id in SubscriptionIdentifiers ?? [])
        {
            buffer.Byte(0x0B);
            buffer.VariableInteger(id);
        }
        Put(buffer, 0x11, SessionExpirySeconds);
        Put(buffer, 0x12, AssignedClientId);
        Put(buffer, 0x13, ServerKeepAliveSeconds);
        Put(buffer, 0x15, AuthenticationMethod);
        Put(buffer, 0x16, AuthenticationData);
        Put(buffer, 0x17, RequestProblemInformation);
        Put(buffer, 0x18, WillDelaySeconds);
        Put(buffer, 0x19, RequestResponseInformation);
        Put(buffer, 0x1A, ResponseInformation);
        Put(buffer, 0x1C, ServerReference);
        Put(buffer, 0x1F, ReasonString);
        Put(buffer, 0x21, ReceiveMaximum);
        Put(buffer, 0x22, TopicAliasMaximum);
        Put(buffer, 0x23, TopicAlias);
        if (MaximumQoS is { } qos)
        {
            buffer.Byte(0x24);
            buffer.Byte(qos);
        }
        Put(buffer, 0x25, RetainAvailable);
        foreach (var (name, value) in UserProperties ?? [])
        {
            buffer.Byte(0x26);
            buffer.String(name);
            buffer.String(value);
        }
        Put(buffer, 0x27, MaximumPacketSize);
        Put(buffer, 0x28, WildcardSubscriptionAvailable);
        Put(buffer, 0x29, SubscriptionIdentifierAvailable);
        Put(buffer, 0x2A, SharedSubscriptionAvailable);
    }

    static void Put(PacketBuffer buffer, byte id, bool? value)
    {
        if (value is { } flag)
        {
            buffer.Byte(id);
            buffer.Byte(flag ? (byte)1 : (byte)0);
        }
    }

    static void Put(PacketBuffer buffer, byte id, uint? value)
    {
        if (value is { } number)
        {
            buffer.Byte(id);
            buffer.UInt32(number);
        }
    }

    static void Put(PacketBuffer buffer, byte id, ushort? value)
    {
        if (value is { } number)
        {
            buffer.Byte(id);
            buffer.UInt16(number);
        }
    }

    static void Put(PacketBuffer buffer, byte id, string? value)
    {
        if (value is not null)
        {
            buffer.Byte(id);
            buffer.String(value);
        }
    }

    static void Put(PacketBuffer buffer, byte id, byte[]? value)
    {
        if (value is not null)
        {
            buffer.Byte(id);
            buffer.Binary(value);
        }
    }
}
