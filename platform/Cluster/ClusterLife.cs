using System.Collections.Concurrent;
using System.Text.Json;
using Althing.Broker;
using Althing.Storage;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Althing.Cluster;

/// <summary>Registers a node's part in the cluster.</summary>
public static class ClusterServices
{
    /// <summary>The broker becomes one of several. Call it after <c>AddMqttBroker</c>: it starts after the broker and before the listeners.</summary>
    public static IServiceCollection AddCluster(this IServiceCollection services, ClusterNode node) => services
        .AddSingleton(node)
        .AddSingleton(p => new Peers(node, p.GetRequiredService<ILogger<ClusterNode>>()))
        .AddSingleton<IBrokerCluster>(p => p.GetRequiredService<Peers>())
        .AddSingleton<IConfigureOptions<KeyManagementOptions>, SharedKeyRing>()
        .AddHostedService<ClusterLife>();
}

/// <summary>Renews the lease, watches the others, adopts who died, and ends the process when it is not a node any more.</summary>
sealed partial class ClusterLife(ClusterNode self, Peers peers, MqttBroker broker, IHostApplicationLifetime application, ILogger<ClusterLife> log) : IHostedLifecycleService
{
    /// <summary>How long a start waits for the ways to the other nodes.</summary>
    static readonly TimeSpan GreetingMax = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>An orderly end may take this long once the node is not one any more.</summary>
    static readonly TimeSpan EndMax = TimeSpan.FromSeconds(2);

    readonly ConcurrentDictionary<string, bool> adopting = new(StringComparer.Ordinal);
    Task watching = Task.CompletedTask;
    Task listening = Task.CompletedTask;

    IStore Store => self.Storage.Store;

    public async Task StartingAsync(CancellationToken cancel)
    {
        peers.Attach(broker);
        var door = new PeerDoor(self, broker, peers, Answer, log);
        listening = door.Listen(self.Listener, self.Stopping.Token);
        await Round(cancel);
        watching = Task.Run(Watch, CancellationToken.None);
        var begun = self.Time.GetTimestamp();
        while (peers.OpenLinks + 1 < peers.Names.Count && self.Time.GetElapsedTime(begun) < GreetingMax)
            await Task.Delay(Look, self.Time, cancel);
        await peers.Announced();
        if (log.IsEnabled(LogLevel.Information))
            LogJoined(log, self.Name, self.Epoch, string.Join(", ", peers.Names));
    }

    public Task StartAsync(CancellationToken cancel) => Task.CompletedTask;
    public Task StartedAsync(CancellationToken cancel) => Task.CompletedTask;
    public Task StoppingAsync(CancellationToken cancel) => Task.CompletedTask;

    /// <summary>After the broker has ended its connections and written its sessions.</summary>
    public async Task StopAsync(CancellationToken cancel)
    {
        try
        {
            await self.Leave();
        }
        catch (Exception failure) when (failure is StorageException or StorageConflictException)
        {
            LogNotLeft(log, failure.Message);
        }
        await self.Stopping.CancelAsync();
        await watching;
        self.Listener.Dispose();
        await listening;
        await peers.DisposeAsync();
    }

    public Task StoppedAsync(CancellationToken cancel) => Task.CompletedTask;

    async Task<byte[]> Answer(string verb, byte[] question) =>
        JsonSerializer.SerializeToUtf8Bytes(await broker.Answer(verb, JsonSerializer.Deserialize<ClientQuestion>(question) ?? throw new IOException("A node asked nothing.")));

    async Task Watch()
    {
        using var timer = new PeriodicTimer(self.Options.LeaseEvery, self.Time);
        var before = self.Time.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(self.Stopping.Token))
            {
                // Asleep ourselves, we heard nobody.
                if (self.Time.GetElapsedTime(before) > self.Options.LeaseEvery * 3)
                    peers.HearAnew();
                before = self.Time.GetTimestamp();
                if (!self.Stands)
                {
                    await End("its lease could not be renewed in time");
                    return;
                }
                await Round(self.Stopping.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // It stops.
        }
        catch (StorageConflictException)
        {
            await End("another node has taken over what it had");
        }
    }

    /// <summary>Says that this node lives, and looks who else does.</summary>
    async Task Round(CancellationToken cancel)
    {
        try
        {
            // A database that hangs must not keep us from seeing that the lease has run out.
            using var late = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            late.CancelAfter(self.Options.LeaseMax);
            await self.Renew(late.Token).WaitAsync(self.Options.LeaseEvery * 2, self.Time, cancel);
            var nodes = await Store.Scan(NodeRecord.Table, AccountId.Platform, Scan.All, late.Token);
            var leases = await Store.Scan(LeaseRecord.Table, AccountId.Platform, Scan.All, late.Token);
            foreach (var orphan in peers.See(nodes, leases))
            {
                if (adopting.TryAdd(orphan.Value.Name, true))
                    _ = Task.Run(() => Adopt(orphan), CancellationToken.None);
            }
        }
        catch (Exception failure) when (failure is StorageException or TimeoutException or System.Data.Common.DbException)
        {
            LogUnseen(log, failure.Message);
        }
    }

    async Task Adopt(Row<NodeRecord> orphan)
    {
        var name = orphan.Value.Name;
        try
        {
            // Changing the row takes the dead node's journal away from it, should it live after all.
            var taken = orphan.Value with { State = NodeState.BeingAdopted, Heir = self.Name };
            await Store.Commit(self.Guard(new()).Replace(NodeRecord.Table, orphan, taken), self.Stopping.Token);
            LogAdopting(log, name);
            var row = await Store.Get(NodeRecord.Table, AccountId.Platform, name, self.Stopping.Token);
            var (logName, begun) = (ClusterNode.LogNameOf(name), self.Time.GetTimestamp());
            var journal = self.Storage.Journal(logName);
            var end = await journal.End(self.Stopping.Token);
            var sessions = await broker.Sessions.Adopt(name, logName, journal, self.Stopping.Token);
            await journal.Trim(end, self.Stopping.Token);
            var done = taken with { State = NodeState.Adopted };
            await Store.Commit(self.Guard(new()).Replace(NodeRecord.Table, row!.Value, done), self.Stopping.Token);
            peers.Forget(done);
            LogAdopted(log, name, sessions, self.Time.GetElapsedTime(begun).TotalSeconds);
        }
        catch (StorageConflictException)
        {
            // Another node adopts it, or it is back.
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogNotAdopted(log, name, failure);
        }
        finally
        {
            adopting.TryRemove(name, out _);
        }
    }

    async Task End(string why)
    {
        if (!self.End() && application.ApplicationStopping.IsCancellationRequested)
            return;
        LogEnded(log, self.Name, why);
        Environment.ExitCode = 1;
        // Whatever hangs: nothing may be acknowledged from here on.
        _ = Task.Delay(EndMax, self.Time).ContinueWith(static _ => Environment.Exit(1), TaskScheduler.Default);
        await broker.CutOff();
        application.StopApplication();
    }

    [LoggerMessage(1, LogLevel.Information, "Joined as node '{Node}' (life {Epoch}); the cluster has the nodes {Nodes}")]
    static partial void LogJoined(ILogger logger, string node, long epoch, string nodes);

    [LoggerMessage(2, LogLevel.Warning, "Node '{Node}' is gone: taking over its persistent sessions")]
    static partial void LogAdopting(ILogger logger, string node);

    [LoggerMessage(3, LogLevel.Information, "Took over {Sessions} persistent sessions of node '{Node}' in {Seconds:F1} s")]
    static partial void LogAdopted(ILogger logger, string node, int sessions, double seconds);

    [LoggerMessage(4, LogLevel.Error, "Node '{Node}' could not be taken over; the next round tries again")]
    static partial void LogNotAdopted(ILogger logger, string node, Exception failure);

    [LoggerMessage(5, LogLevel.Critical, "Node '{Node}' is not one of the cluster any more: {Why}. It acknowledges nothing and ends; start it again")]
    static partial void LogEnded(ILogger logger, string node, string why);

    [LoggerMessage(6, LogLevel.Warning, "The cluster's tables could not be read or written: {Why}")]
    static partial void LogUnseen(ILogger logger, string why);

    [LoggerMessage(7, LogLevel.Warning, "This node ends without having said so: {Why}")]
    static partial void LogNotLeft(ILogger logger, string why);
}
