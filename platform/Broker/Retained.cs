using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>Retained messages to and from storage.</summary>
static class Retained
{
    public static RetainedRecord ToRecord(AccountId account, Message message)
    {
        byte[]? properties = null;
        if (message.Properties is not null)
        {
            using var buffer = new PacketBuffer(256);
            PacketProperties.Write(buffer, message.Properties);
            properties = buffer.Written.ToArray();
        }
        return new()
        {
            Account = account,
            Topic = message.Topic,
            Payload = message.Payload,
            QoS = message.QoS,
            Received = message.Received,
            Expires = message.Expires,
            Properties = properties,
        };
    }

    /// <summary>The message as later subscribers get it: nobody's place in the log depends on it.</summary>
    public static Message CopyOf(Message message) => new()
    {
        Topic = message.Topic,
        Payload = message.Payload,
        QoS = message.QoS,
        Retain = true,
        Properties = message.Properties,
        Source = message.Source,
        Received = message.Received,
        Expires = message.Expires,
    };

    public static Message ToMessage(RetainedRecord record)
    {
        PacketProperties? properties = null;
        if (record.Properties is { } encoded)
        {
            var reader = new PacketReader(encoded);
            properties = PacketProperties.Read(ref reader, AllowedProperties.Publish);
        }
        return new()
        {
            Topic = record.Topic,
            Payload = record.Payload,
            QoS = record.QoS,
            Retain = true,
            Received = record.Received,
            Expires = record.Expires,
            Properties = properties,
        };
    }
}
