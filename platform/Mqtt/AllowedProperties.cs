namespace Althing.Mqtt;

/// <summary>The properties that a kind of packet may have (table 2-4), as one bit for each property identifier.</summary>
public readonly record struct AllowedProperties
{
    public static readonly AllowedProperties Connect = Of(0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27);
    public static readonly AllowedProperties Will = Of(0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26);
    public static readonly AllowedProperties ConnAck = Of(
        0x11, 0x12, 0x13, 0x15, 0x16, 0x1A, 0x1C, 0x1F, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A);
    public static readonly AllowedProperties Publish = Of(0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23, 0x26);
    public static readonly AllowedProperties Acknowledge = Of(0x1F, 0x26);
    public static readonly AllowedProperties Subscribe = Of(0x0B, 0x26);
    public static readonly AllowedProperties Unsubscribe = Of(0x26);
    public static readonly AllowedProperties Disconnect = Of(0x11, 0x1C, 0x1F, 0x26);
    public static readonly AllowedProperties Auth = Of(0x15, 0x16, 0x1F, 0x26);

    ulong Bits { get; init; }

    static AllowedProperties Of(params ReadOnlySpan<int> ids)
    {
        var bits = 0ul;
        foreach (var id in ids)
            bits |= 1ul << id;
        return new() { Bits = bits };
    }

    public bool Has(int id) => id < 64 && (Bits & (1ul << id)) != 0;
}
