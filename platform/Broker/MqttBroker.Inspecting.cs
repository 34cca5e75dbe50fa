using System.Collections.Concurrent;
using Althing.Mqtt;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>What people ask to see. Nothing here runs unless somebody looks.</summary>
public sealed partial class MqttBroker
{
    /// <summary>Traces at one time: each costs its client's connection some text for each packet.</summary>
    const int TracesMax = 16;

    readonly ConcurrentDictionary<(AccountId, string), PacketTrace> traces = new();

    /// <summary>Traces a client's packets until disposed, now and when it connects again; in place of an earlier trace of it.</summary>
    /// <param name="payloads">Keep the beginning of payloads, too.</param>
    /// <exception cref="InvalidOperationException">Too many traces run.</exception>
    public PacketTrace Trace(AccountId account, string clientId, bool payloads)
    {
        if (traces.TryGetValue((account, clientId), out var earlier))
            earlier.Dispose();
        if (traces.Count >= TracesMax)
            throw new InvalidOperationException($"{TracesMax} traces run, which is the most: stop one.");
        var trace = new PacketTrace(account, clientId, payloads, time, StopTrace);
        traces[(account, clientId)] = trace;
        Sessions.Find(account, clientId)?.Connection?.TraceBy(trace);
        return trace;
    }

    void StopTrace(PacketTrace trace)
    {
        traces.TryRemove(new((trace.Account, trace.ClientId), trace));
        Sessions.Find(trace.Account, trace.ClientId)?.Connection?.StopTrace(trace);
    }

    internal PacketTrace? TraceOf(AccountId account, string clientId) => traces.IsEmpty ? null : traces.GetValueOrDefault((account, clientId));

    internal int TraceCount => traces.Count;

    /// <summary>Records who gets what is published, until disposed; in place of an earlier recording of the account.</summary>
    /// <exception cref="ArgumentException">The topic filter is none.</exception>
    public DeliveryRecording Record(AccountId account, RecordingWish wish) => new(wish, TopicsOf(account), id => Sessions.Find(account, id), time);

    /// <summary>All sessions of an account, connected or waiting.</summary>
    public IReadOnlyList<SessionInfo> SessionsOf(AccountId account) =>
        [.. Sessions.All.Where(s => s.Account == account).Select(s => s.Describe()).OrderBy(s => s.ClientId, StringComparer.Ordinal)];

    /// <summary>All subscriptions of an account's clients, by client and filter.</summary>
    public IReadOnlyList<SubscriptionInfo> Subscriptions(AccountId account) =>
        [.. from session in Sessions.All
            where session.Account == account
            from s in session.Subscriptions
            orderby session.ClientId, s.Filter
            select new SubscriptionInfo(session.ClientId, session.IsConnected, s.Filter, s.QoS, s.NoLocal, s.RetainAsPublished, s.Identifier)];

    /// <summary>What an account's connections have counted up to now.</summary>
    public TrafficSample Sample(AccountId account)
    {
        var (topics, from, to) = (Names(), Names(), Names());
        foreach (var connection in Sessions.Live.Where(c => c.Account == account && c.Session is not null))
        {
            var (clientId, info) = (connection.Session!.ClientId, connection.Describe());
            from[clientId] = new(info.MessagesIn, info.BytesIn);
            to[clientId] = new(info.MessagesOut, info.BytesOut);
            foreach (var topic in connection.PublishedTopics)
                topics[topic.Name] = topics.GetValueOrDefault(topic.Name) + topic.Counted;
        }
        return new(time.GetUtcNow(), topics, from, to);

        static Dictionary<string, Counted> Names() => new(StringComparer.Ordinal);
    }

    internal int RetainedCount => topics.Values.Sum(t => t.RetainedCount);
}
