using System.Collections.Concurrent;
using Althing.Broker;
using Althing.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Core.Provisioning.Bulk;

/// <summary>
/// Carries registration tasks out: an account's one after the other, the oldest first. What a kill interrupts goes on after the start, or on
/// another node of the cluster.
/// </summary>
sealed partial class BulkWorker(
    IStore store, IEnumerable<IObjectFiles> files, Provisioner provisioner, MqttBroker broker, TimeProvider clock, ILogger<BulkWorker> logger) : BackgroundService
{
    static readonly TimeSpan AgainAfter = TimeSpan.FromMinutes(1);
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    readonly SemaphoreSlim signal = new(0);
    readonly ConcurrentDictionary<AccountId, Task> running = new();

    /// <summary>There is a new task.</summary>
    public void Wake() => signal.Release();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (files.FirstOrDefault() is not { } found)
            return;
        while (!stoppingToken.IsCancellationRequested)
        {
            if (broker.LeadsCluster)
                await Begin(found, stoppingToken);
            // Another node may have taken the task, or may have led until now.
            using var timer = broker.IsClustered ? clock.CreateTimer(_ => Wake(), null, LookEvery, Timeout.InfiniteTimeSpan) : null;
            await signal.WaitAsync(stoppingToken);
        }
    }

    async Task Begin(IObjectFiles found, CancellationToken cancel)
    {
        HashSet<AccountId> accounts = [];
        await foreach (var row in store.ScanAll(RegistrationTask.Table, cancel))
        {
            if (!row.Value.IsOver)
                accounts.Add(row.Account);
        }
        foreach (var account in accounts)
        {
            if (!running.TryGetValue(account, out var work) || work.IsCompleted)
            {
                running[account] = work = Task.Run(() => Work(found, account, cancel), cancel);
                // A task that began between the last look and the end is seen now.
                _ = work.ContinueWith(_ => Wake(), cancel, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            }
        }
    }

    async Task Work(IObjectFiles found, AccountId account, CancellationToken cancel)
    {
        try
        {
            while (await Oldest(account, cancel) is { } task)
                await new BulkRun(store, found, provisioner, clock, account, task.Id).Go(cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // It goes on after the next start.
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogFailed(logger, account, failure);
            await Task.Delay(AgainAfter, clock, cancel);
        }
    }

    async Task<RegistrationTask?> Oldest(AccountId account, CancellationToken cancel)
    {
        foreach (var status in new[] { RegistrationTask.Cancelling, RegistrationTask.InProgress })
        {
            var rows = await store.Scan(RegistrationTask.Table, account, new() { Index = "status", Prefix = Key.Prefix(status), Limit = 1 }, cancel);
            if (rows is [var row])
                return row.Value;
        }
        return null;
    }

    public override void Dispose()
    {
        signal.Dispose();
        base.Dispose();
    }

    [LoggerMessage(62, LogLevel.Error, "The registration tasks of account {Account} are interrupted; they go on in a minute")]
    static partial void LogFailed(ILogger logger, AccountId account, Exception failure);
}
