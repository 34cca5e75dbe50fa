namespace Althing.Mqtt.Packets;

/// <summary>PINGREQ and PINGRESP (sections 3.12 and 3.13): two bytes each.</summary>
public static class PingPacket
{
    public static ReadOnlySpan<byte> Request => [(int)PacketType.PingReq << 4, 0];
    public static ReadOnlySpan<byte> Response => [(int)PacketType.PingResp << 4, 0];
}
