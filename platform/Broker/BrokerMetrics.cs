using System.Diagnostics.Metrics;

namespace Althing.Broker;

/// <summary>What one broker counts. Hot paths add to plain fields, which are read when somebody asks.</summary>
sealed class BrokerMetrics : IDisposable
{
    public const string MeterName = "Althing.Broker";

    readonly Meter meter = new(MeterName);
    readonly Counter<long> dropped;
    readonly Counter<long> denied;
    readonly Counter<long> refused;
    long received;
    long sentByClosed;
    long bytesInOfClosed;
    long bytesOutOfClosed;

    public BrokerMetrics(MqttBroker broker)
    {
        var sessions = broker.Sessions;
        dropped = meter.CreateCounter<long>("althing.broker.messages.dropped", null, "Messages not delivered, by reason");
        denied = meter.CreateCounter<long>("althing.broker.denied", null, "Publishes and subscriptions that policies refused");
        refused = meter.CreateCounter<long>("althing.broker.connections.refused", null, "CONNECT packets that were refused");
        meter.CreateObservableGauge("althing.broker.connections", () => sessions.LiveCount, null, "Open connections");
        meter.CreateObservableCounter("althing.broker.messages.received", () => Received, null, "Messages published by clients");
        meter.CreateObservableCounter("althing.broker.messages.sent", () => Sent(sessions), null, "Messages sent to clients");
        meter.CreateObservableCounter("althing.broker.bytes.received", () => Volatile.Read(ref bytesInOfClosed) + sessions.Live.Sum(c => c.BytesIn), "By", "Bytes of packets from clients");
        meter.CreateObservableCounter("althing.broker.bytes.sent", () => Volatile.Read(ref bytesOutOfClosed) + sessions.Live.Sum(c => c.BytesOut), "By", "Bytes of packets to clients");
        meter.CreateObservableGauge("althing.broker.sessions", () => sessions.Count, null, "Sessions, connected or waiting for their clients");
        meter.CreateObservableGauge("althing.broker.subscriptions", () => sessions.All.Sum(s => (long)s.SubscriptionCount), null, "Subscriptions of clients");
        meter.CreateObservableGauge("althing.broker.retained", () => broker.RetainedCount, null, "Retained messages");
        meter.CreateObservableGauge("althing.broker.queued.messages", () => sessions.All.Sum(s => (long)s.QueuedCount), null, "Messages that wait in sessions");
        meter.CreateObservableGauge("althing.broker.queued.bytes", () => sessions.All.Sum(s => s.QueuedBytes), "By", "What the messages that wait in sessions take");
        meter.CreateObservableGauge("althing.broker.queued.resident.bytes", () => broker.Resident.Bytes, "By", "Messages that wait in memory, and not on disk alone");
        meter.CreateObservableGauge("althing.broker.log.bytes", () => broker.Log.Size.Bytes, "By", "Bytes of the log");
        meter.CreateObservableGauge("althing.broker.log.live.bytes", () => broker.Log.Size.Live, "By", "Bytes of the log that are still needed");
        meter.CreateObservableGauge("althing.broker.recovery", () => broker.RecoveryProgress ?? 1, null, "How much of the log is read after a start, from 0 to 1");
        meter.CreateObservableGauge("althing.broker.inflight", () => sessions.All.Sum(s => (long)s.InFlightCount), null, "Messages that clients have not acknowledged");
        meter.CreateObservableGauge("althing.broker.unsent.bytes", () => sessions.Live.Sum(c => (long)c.UnsentBytes), "By", "Bytes that wait because clients leave others unread");
        meter.CreateObservableGauge("althing.broker.slow.consumers", () => sessions.Live.Count(c => c.UnsentBytes > SlowBytes), null, $"Clients that leave more than {SlowBytes} bytes unread");
        meter.CreateObservableGauge("althing.broker.traces", () => broker.TraceCount, null, "Clients whose packets are traced");
    }

    /// <summary>A client that leaves more unread is called slow.</summary>
    public const int SlowBytes = 65_536;

    public long Received => Volatile.Read(ref received);

    public long Sent(SessionTable sessions) => Volatile.Read(ref sentByClosed) + sessions.Live.Sum(c => c.MessagesOut);

    public void AddReceived(long count) => Interlocked.Add(ref received, count);

    /// <summary>Keeps the counts of a connection that is over.</summary>
    public void AddClosed(long messagesOut, long bytesIn, long bytesOut)
    {
        Interlocked.Add(ref sentByClosed, messagesOut);
        Interlocked.Add(ref bytesInOfClosed, bytesIn);
        Interlocked.Add(ref bytesOutOfClosed, bytesOut);
    }

    public void Dropped(string reason) => dropped.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Denied(DeviceAction action) => denied.Add(1, new KeyValuePair<string, object?>("action", action.ToString()));

    public void Refused() => refused.Add(1);

    public void Dispose() => meter.Dispose();
}
