namespace Althing.Mqtt;

/// <summary>One packet as it lies in the read buffer: its first byte and its body.</summary>
public readonly ref struct Frame(ReadOnlySpan<byte> whole, int headerBytes)
{
    /// <summary>The packet with its header.</summary>
    public ReadOnlySpan<byte> Whole { get; } = whole;
    public byte First => Whole[0];
    public ReadOnlySpan<byte> Body => Whole[headerBytes..];
    public PacketType Type => (PacketType)(First >> 4);
    public int Flags => First & 0x0F;

    /// <summary>Takes the next packet off the buffer; false when it has not arrived whole.</summary>
    /// <param name="bodyBytesMax">A longer packet is refused as soon as its length is known.</param>
    /// <exception cref="MalformedPacketException">The length is malformed or too large.</exception>
    public static bool TryRead(scoped ref ReadOnlySpan<byte> buffer, int bodyBytesMax, out Frame frame)
    {
        frame = default;
        var length = 0;
        for (var at = 1; at <= 4; at++)
        {
            if (at >= buffer.Length)
                return false;
            length |= (buffer[at] & 0x7F) << (7 * (at - 1));
            if (buffer[at] >= 0x80)
                continue;
            if (at > 1 && buffer[at] == 0)
                throw new MalformedPacketException(ReasonCode.MalformedPacket, "The remaining length of a packet is not in its shortest form. [MQTT-1.5.5-1]");
            if (length > bodyBytesMax)
                throw new MalformedPacketException(ReasonCode.PacketTooLarge, $"A packet of {length} bytes is larger than the {bodyBytesMax} allowed.");
            if (buffer.Length < at + 1 + length)
                return false;
            frame = new(buffer[..(at + 1 + length)], at + 1);
            buffer = buffer[(at + 1 + length)..];
            return true;
        }
        throw new MalformedPacketException(ReasonCode.MalformedPacket, "The remaining length of a packet has more than four bytes.");
    }

    /// <summary>Checks the reserved flags of all packets but PUBLISH [MQTT-2.1.3-1].</summary>
    public void CheckFlags()
    {
        if (Type is PacketType.PingReq or PacketType.PingResp && !Body.IsEmpty)
            throw new MalformedPacketException(ReasonCode.MalformedPacket, $"A {Type} packet has a body.");
        var wanted = Type is PacketType.PubRel or PacketType.Subscribe or PacketType.Unsubscribe ? 2 : 0;
        if (Type != PacketType.Publish && Flags != wanted)
            throw new MalformedPacketException(ReasonCode.MalformedPacket, $"The flags of a {Type} packet are {Flags} and must be {wanted}.");
    }
}
