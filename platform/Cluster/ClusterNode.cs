using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Althing.Broker;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Cluster;

/// <summary>
/// This process as a node of the cluster: its row, its lease, and what it knows of the others. The rows in PostgreSQL decide who is a node;
/// clocks are compared with nobody's.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "Lives as long as the process.")]
public sealed partial class ClusterNode
{
    const string FolderFile = "node.id";

    static readonly TimeSpan AdoptionWaitMax = TimeSpan.FromSeconds(60);

    readonly ClusterOptions options;
    readonly IStore store;
    readonly PlatformStorage storage;
    readonly Socket listener;
    readonly CancellationTokenSource stopping = new();
    Row<NodeRecord> row;
    long renewed;
    int ended;

    ClusterNode(ClusterOptions options, PlatformStorage storage, MasterKey master, PlatformPki pki, TimeProvider time, Socket listener)
    {
        (this.options, this.storage, store, this.listener, Time) = (options, storage, storage.Store, listener, time);
        Proof = new(master, options.Name);
        Tls = new(pki, options.Name);
        renewed = time.GetTimestamp();
    }

    internal TimeProvider Time { get; }
    internal PeerProof Proof { get; }
    internal NodeTls Tls { get; }

    /// <summary>Other nodes reach this one over TLS alone.</summary>
    internal bool ListensSecurely => options.Address.IsSecure;
    internal FilterBook Filters { get; } = new();
    internal Row<NodeRecord> Row => row;

    public string Name => options.Name;

    /// <summary>Counts the lives of the node.</summary>
    internal long Epoch => row.Value.Epoch;

    /// <summary>This node is one of the cluster still: its row was not changed, and its lease was renewed in time.</summary>
    internal bool Stands => ended == 0 && Time.GetElapsedTime(Volatile.Read(ref renewed)) < options.LeaseMax;

    /// <summary>Makes this process a node. From then on no earlier process of the name can write anything.</summary>
    /// <exception cref="ClusterException">The name is another machine's, or the database a single process's.</exception>
    public static async Task<ClusterNode> Join(PlatformStorage storage, ClusterOptions options, MasterKey master, PlatformPki pki, TimeProvider time, CancellationToken cancel)
    {
        if (options.Name.Length is 0 or > 32 || options.Name.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '-'))
            throw new ClusterException($"'{options.Name}' is no name for a node: up to 32 letters, digits and hyphens are. Give one with --node.");
        await RefuseSingle(storage.Store, cancel);
        var listener = Listen(options.Address);
        var node = new ClusterNode(options, storage, master, pki, time, listener);
        var port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        await node.Enter(FolderId(storage.Folder), (options.Address with { Port = port }).ToString(), cancel);
        return node;
    }

    static Socket Listen(NodeAddress address)
    {
        var listener = new Socket(address.Bind.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(address.Bind);
            listener.Listen();
            return listener;
        }
        catch (SocketException failure)
        {
            listener.Dispose();
            throw new ClusterException($"The other nodes cannot be listened for at {address.Bind}: {failure.Message}. Give an address of this machine with --node-address, or another port with --cluster-port.", failure);
        }
    }

    /// <summary>Refuses to run as a single process on what is a cluster's.</summary>
    /// <exception cref="ClusterException">The database has nodes.</exception>
    public static async Task RefuseIfCluster(IStore store, CancellationToken cancel)
    {
        if (await store.Count(NodeRecord.Table, AccountId.Platform, Scan.All, cancel) > 0)
            throw new ClusterException("This database belongs to a cluster of nodes: start with --join, or give another schema with 'Search Path' in the connection string.");
    }

    static async Task RefuseSingle(IStore store, CancellationToken cancel)
    {
        if (await store.Get(LogLife.Table, AccountId.Platform, MqttBroker.LogName, cancel) is not null)
            throw new ClusterException("This database was used by a process that did not --join, and may be still: a cluster begins with a schema of its own. Name one with 'Search Path' in the connection string.");
    }

    static string FolderId(string folder)
    {
        var path = Path.Combine(folder, FolderFile);
        if (!File.Exists(path))
            File.WriteAllText(path, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
        return File.ReadAllText(path).Trim();
    }

    async Task Enter(string folder, string address, CancellationToken cancel)
    {
        var begun = Time.GetTimestamp();
        while (true)
        {
            try
            {
                var found = await store.Get(NodeRecord.Table, AccountId.Platform, Name, cancel);
                if (found is { } other && other.Value.Folder != folder)
                    throw new ClusterException($"Another data folder belongs to the node '{Name}' already: give this one another name with --node.");
                if (found is not { Value.State: NodeState.BeingAdopted } || Time.GetElapsedTime(begun) > AdoptionWaitMax)
                {
                    var record = new NodeRecord(Name, folder, (found?.Value.Epoch ?? 0) + 1, address, NodeState.Up);
                    await store.Commit(found is { } before ? new Batch().Replace(NodeRecord.Table, before, record) : new Batch().Add(NodeRecord.Table, record), cancel);
                    row = (await store.Get(NodeRecord.Table, AccountId.Platform, Name, cancel))!.Value;
                    await Renew(cancel);
                    return;
                }
            }
            catch (StorageConflictException)
            {
                // Another node begins to adopt this one just now.
            }
            await Task.Delay(options.LeaseEvery / 4, Time, cancel);
        }
    }

    internal async Task Renew(CancellationToken cancel)
    {
        var at = Time.GetTimestamp();
        await store.Commit(Guard(new()).Put(LeaseRecord.Table, new LeaseRecord(Name, Epoch)), cancel);
        Volatile.Write(ref renewed, at);
    }

    internal Batch Guard(Batch batch) => batch.Require(NodeRecord.Table, row);

    internal JournalFence Fence => new(NodeRecord.Table, AccountId.Platform, Name, row.Version);

    internal static string LogNameOf(string node) => $"{MqttBroker.LogName}-{node}";

    /// <summary>Nothing is acknowledged any more.</summary>
    internal bool End() => Interlocked.Exchange(ref ended, 1) == 0;

    /// <summary>Says that this node has written everything, so that another takes over at once what it had.</summary>
    internal async Task Leave()
    {
        if (!Stands)
            return;
        await store.Commit(new Batch().Replace(NodeRecord.Table, row, row.Value with { State = NodeState.Left }), CancellationToken.None);
        End();
    }

    internal Socket Listener => listener;
    internal PlatformStorage Storage => storage;
    internal ClusterOptions Options => options;
    internal CancellationTokenSource Stopping => stopping;
}
