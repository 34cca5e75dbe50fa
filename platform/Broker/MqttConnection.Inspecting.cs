using Althing.Mqtt.Packets;

namespace Althing.Broker;

/// <summary>What people see of the connection.</summary>
sealed partial class MqttConnection
{
    PacketTrace? trace;
    long bytesIn;

    public long BytesIn => Volatile.Read(ref bytesIn);
    public long BytesOut => output.Written;
    public int UnsentBytes => output.Unsent;

    /// <summary>The topics it published to of late.</summary>
    public IEnumerable<KnownTopic> PublishedTopics => topics.All;

    public void TraceBy(PacketTrace by)
    {
        by.Version = version;
        (trace, output.Trace) = (by, by);
    }

    public void StopTrace(PacketTrace by)
    {
        if (trace == by)
            (trace, output.Trace) = (null, null);
    }

    /// <summary>A client that is traced comes back.</summary>
    void ResumeTrace(ConnectPacket packet, string clientId)
    {
        if (broker.TraceOf(Account, clientId) is not { } waiting)
            return;
        TraceBy(waiting);
        waiting.Note(true, PacketText.NameOf(Mqtt.PacketType.Connect), PacketText.Of(packet));
    }
}
