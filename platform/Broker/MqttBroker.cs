using System.Collections.Concurrent;
using Althing.Mqtt;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Broker;

/// <summary>The message broker: one topic space per account, reached by devices over MQTT and by the platform's services in process.</summary>
public sealed partial class MqttBroker : IAsyncDisposable
{
    readonly IStore store;
    readonly TimeProvider time;
    readonly ILogger<MqttBroker> log;
    readonly ConcurrentDictionary<AccountId, AccountTopics> topics = new();
    readonly ITimer upkeep;
    readonly CancellationTokenSource stopping = new();

    internal const string LogName = "mqtt";
    readonly string logName;

    /// <summary>How often retained messages are looked through for expired ones, which nobody sees meanwhile.</summary>
    static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1);
    DateTimeOffset nextSweep;

    public MqttBroker(PlatformStorage storage, BrokerOptions options, TimeProvider time, ILogger<MqttBroker> log)
        : this(storage, options, time, log, null)
    {
    }

    internal MqttBroker(PlatformStorage storage, BrokerOptions options, TimeProvider time, ILogger<MqttBroker> log, IBrokerCluster? cluster)
    {
        Cluster = cluster;
        logName = cluster?.LogName ?? LogName;
        store = storage.Store;
        Options = options;
        this.time = time;
        this.log = log;
        Log = new(storage.Journal(logName, cluster?.Fence));
        Taken = new(Log, time);
        Sessions = new(this, store, time);
        Metrics = new(this);
        Events = new(this, time);
        Rates = new(options, time);
        upkeep = time.CreateTimer(_ => Upkeep(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
    }

    public BrokerOptions Options { get; }

    /// <summary>This is one of several nodes.</summary>
    public bool IsClustered => Cluster is not null;

    /// <summary>
    /// This process does what one node does for the whole cluster: timers, roll-outs, bulk tasks. Always true without a cluster. While nodes
    /// come or go two may think so for a moment: the work's writes must be conditional ones.
    /// </summary>
    public bool LeadsCluster => Cluster is not { } cluster || (cluster.Stands && cluster.Peers.All(p => string.CompareOrdinal(cluster.Node, p.Node) < 0));

    /// <summary>The other nodes; null where the platform is one process.</summary>
    internal IBrokerCluster? Cluster { get; }
    internal MessageLog Log { get; }

    /// <summary>QoS 2 messages of other nodes that came lately.</summary>
    internal TakenMessages Taken { get; }

    /// <summary>Messages that wait in memory, of all accounts.</summary>
    internal QueueBudget Resident { get; } = new();
    internal SessionTable Sessions { get; }
    internal BrokerMetrics Metrics { get; }
    internal LifecycleEvents Events { get; }
    internal ConnectRates Rates { get; }
    internal ServedTopics Served { get; } = new();
    internal TimeProvider Time => time;
    internal ILogger Logger => log;

    /// <summary>A client connected or disconnected. Handlers run on the connection's thread and must only note it.</summary>
    public event Action<PresenceChange>? PresenceChanged;

    internal void Tell(PresenceChange change) => PresenceChanged?.Invoke(change);

    internal AccountTopics TopicsOf(AccountId account) => topics.GetOrAdd(account, static (a, cluster) => cluster is null ? new() : new((filter, change) => cluster.Note(a, filter, change)), Cluster);

    /// <summary>
    /// Reads sessions and retained messages from storage, and begins to read what is owed. Called once, before the first connection.
    /// </summary>
    public async Task Start(CancellationToken cancel)
    {
        var life = await store.Get(LogLife.Table, AccountId.Platform, logName, cancel);
        var epoch = (life?.Value.Count ?? 0) + 1;
        await store.Commit(Guarded(new()).Put(LogLife.Table, new LogLife(logName, epoch)), cancel);
        await Log.Begin(epoch, cancel);
        await Sessions.Load(cancel);
        await foreach (var row in store.ScanAll(RetainedRecord.Table, cancel))
            TopicsOf(row.Account).SetRetained(Retained.ToMessage(row.Value));
        await Sessions.EndClean(cancel);
        Recovery = Task.Run(Recover, CancellationToken.None);
    }

    /// <summary>Reads what persistent sessions are owed, which may be much, while the broker serves all others.</summary>
    async Task Recover()
    {
        await Log.Recover(stopping.Token);
        foreach (var remaining in Log.Remaining())
            Sessions.Recover(remaining);
        await Sessions.EndRecovery();
        Log.Recovered();
    }

    /// <summary>Completes when persistent sessions have back what they are owed; fails when the log cannot be read.</summary>
    internal Task Recovery { get; private set; } = Task.CompletedTask;

    /// <summary>How much of the log is read after a start, from 0 to 1; null when all of it is.</summary>
    public double? RecoveryProgress => Log.IsRecovering ? Log.Progress : null;

    /// <summary>Publishes on behalf of the platform. Returns when every QoS 1 obligation is durable.</summary>
    public ValueTask Publish(AccountId account, OutgoingMessage message, CancellationToken cancel) => Publish(account, message, null, cancel);

    /// <summary>Publishes what nobody waits for: lifecycle events, wills. A failure is logged.</summary>
    internal void PublishSoon(AccountId account, OutgoingMessage message, MessageSource? source = null)
    {
        var published = Publish(account, message, source, stopping.Token);
        if (!published.IsCompletedSuccessfully)
            _ = Watch(published, message.Topic);
    }

    async Task Watch(ValueTask published, string topic)
    {
        try
        {
            await published;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogUnpublished(log, topic, failure);
        }
    }

    /// <summary>Publishes on behalf of a device that came by another door than MQTT.</summary>
    public async ValueTask Publish(AccountId account, OutgoingMessage message, MessageSource? source, CancellationToken cancel)
    {
        if (!Topic.IsValidName(message.Topic))
            throw new ArgumentException($"'{message.Topic}' is not a topic name: it must not be empty or have + or #.", nameof(message));
        var flush = new FlushList();
        var kept = Message.From(message, source, time.GetUtcNow());
        if (kept.QoS == 2)
        {
            var exactlyOnce = Prepare(account, kept, publisher: null, receipt: 0);
            await exactlyOnce.Durable;
            exactlyOnce.Deliver(flush);
            flush.Flush();
            return;
        }
        var durable = Route(account, kept, publisher: null, flush);
        flush.Flush();
        await durable;
    }

    /// <summary>Whether a message on this topic would have a receiver now, or an observer of who receives what.</summary>
    public bool IsHeard(AccountId account, string topic)
    {
        var space = TopicsOf(account);
        var route = space.RouteOf(topic);
        return route.Targets.Length > 0 || route.Groups.Length > 0 || space.Recording is not null;
    }

    /// <summary>
    /// Delivers every message that matches the filter to the handler until disposed, in order per topic. Handlers must not block: hand over to
    /// a queue of your own.
    /// </summary>
    /// <param name="fromAllNodes">Also what is published on other nodes of the cluster; else each message reaches one node's handlers alone.</param>
    public IDisposable Subscribe(AccountId account, string filter, Action<DeliveredMessage> handler, bool fromAllNodes = false)
    {
        if (!Topic.IsValidFilter(filter))
            throw new ArgumentException($"'{filter}' is not a topic filter: + and # stand alone in their level, # in the last.", nameof(filter));
        var subscription = new Subscription(new LocalSubscriber(handler, fromAllNodes), filter) { QoS = 2, RetainAsPublished = true };
        var space = TopicsOf(account);
        space.Add(subscription);
        return new Unsubscriber(() => space.Remove(subscription));
    }

    /// <summary>
    /// Has a service answer reserved topics in every account. Called before the first connection. The handler's task completes when what the
    /// message asks for is durable: the publisher's acknowledgement waits for it. It must not block.
    /// </summary>
    /// <param name="filter">A topic filter that begins with <c>$</c>; the first one that matches a topic serves it.</param>
    public void Serve(string filter, Func<AccountId, DeliveredMessage, ValueTask> handler) => Served.Add(filter, handler);

    sealed class Unsubscriber(Action remove) : IDisposable
    {
        Action? remove = remove;
        public void Dispose() => Interlocked.Exchange(ref remove, null)?.Invoke();
    }

    /// <summary>The connections there are now, by client id.</summary>
    public IReadOnlyList<ConnectionInfo> Connections(AccountId account) =>
        [.. Sessions.Live.Where(c => c.Account == account).Select(c => c.Describe()).OrderBy(c => c.ClientId, StringComparer.Ordinal)];

    /// <summary>How many connections all accounts have.</summary>
    public int ConnectionCount => Sessions.LiveCount;

    /// <summary>Messages that clients published, and that were sent to clients, since the start.</summary>
    public (long Received, long Sent) Totals => (Metrics.Received, Metrics.Sent(Sessions));

    /// <summary>What is known of one client; null when it has neither a connection nor a session that waits for it.</summary>
    public ClientState? StateOf(AccountId account, string clientId) => Sessions.Find(account, clientId) is { } session
        ? new(session.Connection?.Describe(), session.Connection is null ? session.DisconnectedAt : null, session.Expiry)
        : null;

    /// <summary>Closes a client's connection as an administrator's act; false when it has none.</summary>
    /// <param name="endSession">Its session ends too, with subscriptions and queued messages.</param>
    /// <param name="withholdWill">Its will is not published.</param>
    public async ValueTask<bool> Disconnect(
        AccountId account, string clientId, CancellationToken cancel, bool endSession = false, bool withholdWill = false) =>
        await Elsewhere(account, clientId, cancel) is { } node
            ? await Cluster!.Ask<bool>(node, ClientQuestion.Disconnect, new(account.Value, clientId, endSession, withholdWill))
            : await DisconnectHere(account, clientId, endSession, withholdWill);

    async ValueTask<bool> DisconnectHere(AccountId account, string clientId, bool endSession, bool withholdWill)
    {
        if (Sessions.Find(account, clientId)?.Connection is not { } connection)
            return false;
        if (withholdWill)
            connection.ForgetWill();
        await connection.Close(ReasonCode.AdministrativeAction, DisconnectReasons.ApiInitiated);
        if (endSession)
            await Sessions.Drop(account, clientId);
        return true;
    }

    /// <summary>The retained message of a topic, or null.</summary>
    public RetainedMessage? GetRetained(AccountId account, string topic) =>
        TopicsOf(account).RetainedOf(topic) is { } message && !message.IsExpired(time.GetUtcNow()) ? new(message.ToDelivered().Message, message.Received) : null;

    /// <summary>All retained messages of an account, by topic.</summary>
    public IReadOnlyList<RetainedMessage> ListRetained(AccountId account) =>
        [.. TopicsOf(account).AllRetained.Where(m => !m.IsExpired(time.GetUtcNow())).OrderBy(m => m.Topic, StringComparer.Ordinal).Select(m => new RetainedMessage(m.ToDelivered().Message, m.Received))];

    /// <summary>The subscriptions of a client's session; null when it has none.</summary>
    public IReadOnlyList<(string Filter, int QoS)>? SubscriptionsOf(AccountId account, string clientId) =>
        Sessions.Find(account, clientId)?.Subscriptions.Select(s => (s.Filter, s.QoS)).ToList();

    static ValueTask Combine(ValueTask first, ValueTask second) =>
        first.IsCompletedSuccessfully ? second : second.IsCompletedSuccessfully ? first : Both(first, second);

    static async ValueTask Both(ValueTask first, ValueTask second)
    {
        await first;
        await second;
    }

    async ValueTask KeepRetained(AccountId account, AccountTopics space, Message message)
    {
        // AWS keeps nothing retained on the reserved topics.
        if (message.Topic.StartsWith('$'))
            return;
        var batch = message.Payload.Length == 0
            ? Guarded(new()).Delete(RetainedRecord.Table, account, message.Topic)
            : Guarded(new()).Put(RetainedRecord.Table, Retained.ToRecord(account, message));
        Task committed;
        // In memory and on disk the same one of two messages must be the last.
        lock (space)
        {
            space.SetRetained(Retained.CopyOf(message));
            committed = store.Commit(batch, stopping.Token).AsTask();
        }
        await committed;
    }

    /// <summary>Removes retained messages that have expired. [MQTT-3.3.2-5]</summary>
    void SweepRetained()
    {
        var now = time.GetUtcNow();
        foreach (var (account, space) in topics)
        {
            foreach (var message in space.AllRetained.Where(m => m.IsExpired(now)))
            {
                lock (space)
                {
                    if (space.RetainedOf(message.Topic) != message)
                        continue;
                    space.ClearRetained(message.Topic);
                    _ = Watch(new(Cluster is null
                        ? store.Commit(new Batch().Delete(RetainedRecord.Table, account, message.Topic), stopping.Token).AsTask()
                        : SweepShared(account, message.Topic)), message.Topic);
                }
            }
        }
    }

    void Upkeep()
    {
        try
        {
            Sessions.Upkeep();
            Taken.Upkeep();
            if (time.GetUtcNow() >= nextSweep)
            {
                nextSweep = time.GetUtcNow() + SweepEvery;
                SweepRetained();
            }
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogUpkeep(log, failure);
        }
    }

    /// <summary>Tells every client that the platform stops, and closes.</summary>
    public async Task Stop()
    {
        if (Cluster is { Stands: false })
            return;
        await Task.WhenAll(Sessions.Live.Select(c => c.Close(ReasonCode.ServerShuttingDown, DisconnectReasons.ServerInitiated)));
        await Sessions.SaveAll();
    }

    public async ValueTask DisposeAsync()
    {
        await upkeep.DisposeAsync();
        Metrics.Dispose();
        await stopping.CancelAsync();
        await Recovery.ContinueWith(static t => _ = t.Exception, TaskScheduler.Default);
        stopping.Dispose();
    }

    [LoggerMessage(2, LogLevel.Error, "A message to {Topic} could not be published")]
    static partial void LogUnpublished(ILogger logger, string topic, Exception failure);

    [LoggerMessage(1, LogLevel.Error, "The broker's upkeep failed; it goes on in a second")]
    static partial void LogUpkeep(ILogger logger, Exception failure);
}

/// <summary>A retained message and when it came.</summary>
public sealed record RetainedMessage(OutgoingMessage Message, DateTimeOffset Received);
