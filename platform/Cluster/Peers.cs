using System.Collections.Concurrent;
using System.Text.Json;
using Althing.Broker;
using Althing.Mqtt;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Cluster;

/// <summary>The other nodes: who is there, the ways to them, and what they asked for. What the broker knows of the cluster.</summary>
sealed class Peers(ClusterNode self, ILogger logger) : IBrokerCluster
{
    /// <summary>One other node.</summary>
    sealed class Peer(PeerLink link)
    {
        public PeerLink Link { get; } = link;
        public RemoteFilters? Filters { get; set; }
        public Row<NodeRecord> Row { get; set; }
        public long LeaseVersion { get; set; }

        /// <summary>When it gave its last sign of life.</summary>
        public long Heard { get; set; }
    }

    readonly ConcurrentDictionary<string, Peer> peers = new(StringComparer.Ordinal);
    volatile IPeerQueue[] queues = [];
    MqttBroker? broker;

    public string Node => self.Name;
    public string LogName => ClusterNode.LogNameOf(self.Name);
    public JournalFence Fence => self.Fence;
    public bool Stands => self.Stands;
    IReadOnlyList<IPeerQueue> IBrokerCluster.Peers => queues;
    public Batch Guard(Batch batch) => self.Guard(batch);
    public void Note(AccountId account, string filter, int change) => self.Filters.Note(account, filter, change);

    /// <summary>The nodes that are there, this one among them.</summary>
    public IReadOnlyList<string> Names => [self.Name, .. peers.Where(p => IsLive(p.Value)).Select(p => p.Key).Order(StringComparer.Ordinal)];

    public int OpenLinks => peers.Values.Count(p => p.Link.IsOpen);

    public void Attach(MqttBroker to)
    {
        broker = to;
        self.Filters.Changed = change =>
        {
            foreach (var (_, peer) in peers)
                peer.Link.Tell(change);
        };
    }

    Peer PeerOf(string name) => peers.GetOrAdd(name, n => new(new(n, self, () => broker?.Metrics.Dropped("node-slow"), logger)));

    /// <summary>What a node's clients subscribed to; null when the node is not one of the cluster in this life of its any more.</summary>
    public RemoteFilters? FiltersOf(string name, long epoch)
    {
        if (!peers.TryGetValue(name, out var peer) || peer.Row.Value is not { State: NodeState.Up } row || row.Epoch != epoch)
            return null;
        lock (peer)
            return peer.Filters ??= new(broker!, peer.Link);
    }

    /// <summary>Looks up a node that dialled; false when its row does not say that it is one of the cluster in this life of its.</summary>
    public async Task<bool> Greet(string name, long epoch, CancellationToken cancel)
    {
        if (await self.Storage.Store.Get(NodeRecord.Table, AccountId.Platform, name, cancel) is not { Value: { State: NodeState.Up } node } row || node.Epoch != epoch)
            return false;
        var peer = PeerOf(name);
        lock (peer)
        {
            if (peer.Row.Version < row.Version)
                (peer.Row, peer.Heard) = (row, self.Time.GetTimestamp());
        }
        peer.Link.Dial(node.Address);
        queues = [.. peers.Values.Select(p => p.Link)];
        return true;
    }

    public Task Announced()
    {
        var number = self.Filters.Number;
        return Task.WhenAll(peers.Values.Where(IsLive).Select(p => p.Link.WhenKnown(number)));
    }

    public bool IsLive(string node) => peers.TryGetValue(node, out var peer) && IsLive(peer);

    bool IsLive(Peer peer) => peer.Row.Value is { State: NodeState.Up } && self.Time.GetElapsedTime(peer.Heard) < self.Options.AdoptAfter;

    PeerLink LinkTo(string node) => peers.TryGetValue(node, out var peer) ? peer.Link : throw new IOException($"There is no node '{node}'.");

    public Task SendAgain(string node, AccountId account, Message message, string group, string origin, long id)
    {
        var shared = group.Length > 0 ? group : null;
        if (peers.TryGetValue(node, out var peer))
            return peer.Link.Send(account, message, shared is null, shared, null, (origin, id));
        var batch = new OutgoingBatch();
        using var scratch = new PacketBuffer();
        batch.Add(scratch, account, message, shared is null, shared, (origin, id));
        batch.Close();
        // What was for a node that is dead by now is for the sessions that it had.
        _ = Task.Run(() => node == self.Name ? DeliverHere(batch) : PassLater(batch.For(node), node));
        return batch.Taken;
    }

    public Task<Handover?> Release(string node, AccountId account, string clientId, bool cleanStart) =>
        Ask<Handover>(node, ClientQuestion.Release, new(account.Value, clientId, cleanStart));

    public async Task<IReadOnlyList<HandedDebt>> Finish(string node, AccountId account, string clientId) =>
        await Ask<List<HandedDebt>>(node, ClientQuestion.Finish, new(account.Value, clientId)) ?? [];

    public async Task<T?> Ask<T>(string node, string verb, ClientQuestion question) =>
        JsonSerializer.Deserialize<T>(await LinkTo(node).Ask(verb, JsonSerializer.SerializeToUtf8Bytes(question)));

    /// <summary>Forgets when others were heard of: this process itself was not awake to hear them.</summary>
    public void HearAnew()
    {
        foreach (var (_, peer) in peers)
            peer.Heard = self.Time.GetTimestamp();
    }

    /// <summary>Takes in the rows as they are now and answers the nodes that should be adopted.</summary>
    public List<Row<NodeRecord>> See(IReadOnlyList<Row<NodeRecord>> nodes, IReadOnlyList<Row<LeaseRecord>> leases)
    {
        List<Row<NodeRecord>> orphaned = [];
        foreach (var row in nodes.Where(n => n.Value.Name != self.Name))
        {
            if (row.Value.State == NodeState.Adopted)
            {
                Forget(row.Value);
                continue;
            }
            var peer = PeerOf(row.Value.Name);
            var lease = leases.FirstOrDefault(l => l.Value.Name == row.Value.Name).Version;
            if (peer.Row.Version != row.Version || peer.LeaseVersion != lease)
                (peer.Row, peer.LeaseVersion, peer.Heard) = (row, lease, self.Time.GetTimestamp());
            if (row.Value.State == NodeState.Up)
                peer.Link.Dial(row.Value.Address);
            if (row.Value.State == NodeState.Up ? !IsLive(peer) : row.Value is { State: NodeState.Left } || !HasHeir(row.Value))
                orphaned.Add(row);
        }
        queues = [.. peers.Values.Select(p => p.Link)];
        return orphaned;
    }

    bool HasHeir(NodeRecord node) => node.Heir is { } heir && heir != self.Name && IsLive(heir);

    /// <summary>A node's heir has all that it had: what was still for it goes there.</summary>
    public void Forget(NodeRecord node)
    {
        if (!peers.TryRemove(node.Name, out var peer))
            return;
        queues = [.. peers.Values.Select(p => p.Link)];
        peer.Filters?.Take(new(0, IsAll: true, []));
        peer.Link.PassTo(batch => PassOn(batch.For(node.Name), node.Heir!));
    }

    Task PassOn(OutgoingBatch batch, string heir)
    {
        if (heir != self.Name && peers.TryGetValue(heir, out var peer))
            return peer.Link.Pass(batch);
        // The heir is this node; or one that has died since, whose own heir will be known: until then the publishers wait.
        return heir == self.Name ? Task.Run(() => DeliverHere(batch)) : Task.Run(() => PassLater(batch, heir));
    }

    async Task DeliverHere(OutgoingBatch batch)
    {
        using var incoming = new IncomingBatches(broker!);
        await incoming.Deliver(batch.Body);
        batch.Done();
    }

    async Task PassLater(OutgoingBatch batch, string heir)
    {
        while (heir != self.Name && !peers.ContainsKey(heir))
        {
            await Task.Delay(self.Options.LeaseEvery, self.Time, self.Stopping.Token);
            try
            {
                var found = await self.Storage.Store.Get(NodeRecord.Table, AccountId.Platform, heir, self.Stopping.Token);
                if (found is { Value: { State: NodeState.Adopted, Heir: { } next } })
                    heir = next;
            }
            catch (System.Data.Common.DbException)
            {
                // The database is away for a while.
            }
        }
        await PassOn(batch, heir);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, peer) in peers)
            await peer.Link.DisposeAsync();
    }
}
