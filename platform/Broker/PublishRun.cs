using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Broker;

/// <summary>
/// PUBLISH packets of QoS 0 to one topic that lie behind one another as their publisher wrote them: they are judged, routed and copied
/// together. Hot path: a view into the reader's memory.
/// </summary>
readonly ref struct PublishRun
{
    public ReadOnlySpan<byte> Bytes { get; private init; }
    public int Count { get; private init; }

    /// <summary>Of the largest packet.</summary>
    public int BytesMax { get; private init; }
    public int PayloadBytes { get; private init; }

    /// <summary>A packet alone.</summary>
    public static PublishRun Of(scoped in Frame frame, scoped in PublishPacket packet) => new()
    {
        Bytes = frame.Whole,
        Count = 1,
        BytesMax = frame.Whole.Length,
        PayloadBytes = packet.Payload.Length,
    };

    /// <summary>A packet and those behind it that differ from it in their payloads alone. It has no properties, and a topic of its own.</summary>
    /// <param name="ahead">What was read, from the packet's first byte.</param>
    /// <param name="payloadBytesMax">One with a larger payload is not of the run.</param>
    public static PublishRun Read(ReadOnlySpan<byte> ahead, scoped in Frame first, scoped in PublishPacket packet, int payloadBytesMax)
    {
        // In MQTT 5 the length of no properties is between topic and payload.
        var alike = first.Body[..(first.Body.Length - packet.Payload.Length)];
        var (end, count, bytesMax, payloadBytes) = (first.Whole.Length, 1, first.Whole.Length, packet.Payload.Length);
        while (BodyOf(ahead[end..], first.First, out var header) is { IsEmpty: false } body && body.StartsWith(alike) && body.Length - alike.Length <= payloadBytesMax)
        {
            end += header + body.Length;
            count++;
            bytesMax = Math.Max(bytesMax, header + body.Length);
            payloadBytes += body.Length - alike.Length;
        }
        return new() { Bytes = ahead[..end], Count = count, BytesMax = bytesMax, PayloadBytes = payloadBytes };
    }

    /// <summary>The body of the packet that is next; empty when it is of another kind, not whole, or malformed, which its own reader will say.</summary>
    static ReadOnlySpan<byte> BodyOf(ReadOnlySpan<byte> rest, byte kind, out int header)
    {
        header = 2;
        if (rest.Length < 2 || rest[0] != kind)
            return default;
        var length = (int)rest[1];
        if (length >= 0x80)
        {
            // Two bytes of length are for up to 16383; whatever is longer gains nothing by company.
            if (rest.Length < 3 || rest[2] is 0 or >= 0x80)
                return default;
            length = (length & 0x7F) | (rest[2] << 7);
            header = 3;
        }
        return length <= rest.Length - header ? rest.Slice(header, length) : default;
    }
}
