using System.Text;
using Althing.Mqtt;
using Althing.Mqtt.Packets;

namespace Althing.Broker;

/// <summary>Packets in words, for people. Passwords, user names and tokens are never among them: user names carry tokens of custom authorizers.</summary>
static class PacketText
{
    /// <summary>Bytes of a payload that are shown.</summary>
    const int PayloadShownMax = 256;

    public static string NameOf(PacketType type) => type.ToString().ToUpperInvariant();

    public static string Of(in Frame frame, MqttVersion version)
    {
        try
        {
            return frame.Type switch
            {
                PacketType.Publish => Publish(PublishPacket.Read(frame, version)),
                PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp => Acknowledge(AcknowledgePacket.Read(frame.Body, version)),
                PacketType.Subscribe => Subscribe(SubscribePacket.Read(frame.Body, version)),
                PacketType.Unsubscribe => UnsubscribePacket.Read(frame.Body, version) is var packet ? $"packet {packet.PacketId}: {string.Join(", ", packet.Filters)}" : "",
                PacketType.SubAck or PacketType.UnsubAck => Answer(SubAckPacket.Read(frame.Body, version)),
                PacketType.ConnAck => ConnAck(ConnAckPacket.Read(frame.Body, version)),
                PacketType.Disconnect => DisconnectPacket.Read(frame.Body, version) is var packet ? $"{packet.Reason}{Why(packet.Properties?.ReasonString)}" : "",
                _ => "",
            };
        }
        catch (MalformedPacketException malformed)
        {
            return "malformed: " + malformed.Message;
        }
    }

    public static string Of(ConnectPacket packet)
    {
        var text = new StringBuilder($"client id {packet.ClientId}, {(packet.Version == MqttVersion.V5 ? "MQTT 5" : "MQTT 3.1.1")}, {(packet.CleanStart ? "clean start" : "keeps its session")}");
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $", keep-alive {packet.KeepAliveSeconds} s");
        if (packet.Properties?.SessionExpirySeconds is { } expiry)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $", session expiry {expiry} s");
        if (packet.Properties?.ReceiveMaximum is { } most)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $", receive maximum {most}");
        if (packet.Will is { } will)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $", will to {will.Topic} with QoS {will.QoS}, {will.Payload.Length} bytes");
        if (packet.UserName is not null)
            text.Append(", user name not shown");
        if (packet.Password is not null)
            text.Append(", password not shown");
        return text.ToString();
    }

    /// <summary>The beginning of a PUBLISH's payload; null for other packets.</summary>
    public static string? PayloadOf(in Frame frame, MqttVersion version)
    {
        if (frame.Type != PacketType.Publish)
            return null;
        try
        {
            var payload = PublishPacket.Read(frame, version).Payload;
            var shown = payload[..Math.Min(payload.Length, PayloadShownMax)];
            return (Utf8Text.IsValid(shown) ? Encoding.UTF8.GetString(shown) : "hex " + Convert.ToHexStringLower(shown)) + (shown.Length < payload.Length ? " …" : "");
        }
        catch (MalformedPacketException)
        {
            return null;
        }
    }

    static string Publish(in PublishPacket packet)
    {
        var text = new StringBuilder(packet.Topic.IsEmpty ? "(topic by alias)" : Encoding.UTF8.GetString(packet.Topic));
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $", QoS {packet.QoS}");
        if (packet.QoS > 0)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $", packet {packet.PacketId}");
        if (packet.Retain)
            text.Append(", retained");
        if (packet.Duplicate)
            text.Append(", again");
        if (packet.Properties?.TopicAlias is { } alias)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $", alias {alias}");
        if (packet.Properties?.MessageExpirySeconds is { } expiry)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $", expires in {expiry} s");
        return text.Append(System.Globalization.CultureInfo.InvariantCulture, $", {packet.Payload.Length} bytes of payload").ToString();
    }

    static string Acknowledge(AcknowledgePacket packet) =>
        $"packet {packet.PacketId}{(packet.Reason == ReasonCode.Success ? "" : $": {packet.Reason}")}{Why(packet.Why)}";

    static string Subscribe(SubscribePacket packet) =>
        $"packet {packet.PacketId}: {string.Join(", ", packet.Entries.Select(e => $"{e.Filter} (QoS {e.QoS}{(e.NoLocal ? ", no local" : "")})"))}";

    static string Answer(SubAckPacket packet) =>
        $"packet {packet.PacketId}: {string.Join(", ", packet.Reasons.Select(r => (byte)r <= 2 ? $"granted {(byte)r}" : (byte)r == 0x80 ? "refused" : r.ToString()))}{Why(packet.Why)}";

    static string ConnAck(ConnAckPacket packet) =>
        (packet.Code == 0 ? packet.SessionPresent ? "accepted, the session goes on" : "accepted, a new session" : $"refused, code 0x{packet.Code:X2}") + Why(packet.Properties?.ReasonString);

    static string Why(string? text) => text is null ? "" : $" ({text})";
}
