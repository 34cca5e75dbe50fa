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

    public BrokerMetrics(SessionTable sessions)
    {
        dropped = meter.CreateCounter<long>("althing.broker.messages.dropped", null, "Messages not delivered, by reason");
        denied = meter.CreateCounter<long>("althing.broker.denied", null, "Publishes and subscriptions that policies refused");
        refused = meter.CreateCounter<long>("althing.broker.connections.refused", null, "CONNECT packets that were refused");
        meter.CreateObservableGauge("althing.broker.connections", () => sessions.LiveCount, null, "Open connections");
        meter.CreateObservableCounter("althing.broker.messages.received", () => Received, null, "Messages published by clients");
        meter.CreateObservableCounter("althing.broker.messages.sent", () => Sent(sessions), null, "Messages sent to clients");
    }

    public long Received => Volatile.Read(ref received);

    public long Sent(SessionTable sessions) => Volatile.Read(ref sentByClosed) + sessions.Live.Sum(c => c.MessagesOut);

    public void AddReceived(long count) => Interlocked.Add(ref received, count);

    public void AddSent(long countOfClosed) => Interlocked.Add(ref sentByClosed, countOfClosed);

    public void Dropped(string reason) => dropped.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Denied(DeviceAction action) => denied.Add(1, new KeyValuePair<string, object?>("action", action.ToString()));

    public void Refused() => refused.Add(1);

    public void Dispose() => meter.Dispose();
}
