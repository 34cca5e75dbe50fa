using System.Collections.Concurrent;
using Althing.Broker;
using Althing.Core;
using Althing.Jobs.Executions;
using Althing.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Jobs.Rollout;

/// <summary>
/// Sees when a job is over. Every node looks after jobs whose executions it has ended, once for many of them; whoever leads looks after all of
/// them now and then, for what a kill kept others from seeing.
/// </summary>
sealed partial class JobWatch(
    IStore store, JobStore jobs, ExecutionDesk desk, JobEvents events, MqttBroker broker, TimeProvider clock, ILogger<JobWatch> logger) : BackgroundService
{
    static readonly TimeSpan LookAtAllEvery = TimeSpan.FromMinutes(5);

    readonly Bell bell = new();
    readonly ConcurrentDictionary<(AccountId Account, string Job), bool> noted = new();

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        desk.Ended += Note;
        return base.StartAsync(cancellationToken);
    }

    /// <summary>Look at this job soon.</summary>
    public void Note(AccountId account, string job)
    {
        if (noted.TryAdd((account, job), true))
            bell.Ring();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Afterwards the timer looks; whatever is noted meanwhile is looked at in between.
        using var timer = clock.CreateTimer(_ => bell.Ring(), null, LookAtAllEvery, LookAtAllEvery);
        var lookedAt = DateTimeOffset.MinValue;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (broker.LeadsCluster && clock.GetUtcNow() - lookedAt >= LookAtAllEvery)
                {
                    lookedAt = clock.GetUtcNow();
                    await NoteAll(stoppingToken);
                }
                foreach (var (account, job) in noted.Keys)
                {
                    noted.TryRemove((account, job), out _);
                    await Look(account, job, stoppingToken);
                }
            }
            catch (Exception failure) when (failure is not (OutOfMemoryException or OperationCanceledException))
            {
                LogFailed(logger, failure);
            }
            await bell.Wait(stoppingToken);
        }
    }

    async Task NoteAll(CancellationToken cancel)
    {
        await foreach (var row in store.ScanAll(Job.Table, cancel))
        {
            if (row.Value is { Status: JobStatus.IN_PROGRESS, IsContinuous: false, IsConcurrent: false })
                noted.TryAdd((row.Account, row.Value.Id), true);
        }
    }

    async Task Look(AccountId account, string id, CancellationToken cancel)
    {
        if (await jobs.Find(account, id, cancel) is not { } row)
            return;
        var now = clock.GetUtcNow();
        if (JobRules.Decide(row.Value, await jobs.TallyOf(account, id, cancel), now) is not { } job)
            return;
        try
        {
            await store.Commit(new Batch().Replace(Job.Table, row, job), cancel);
            await events.Completed(job, cancel);
        }
        catch (StorageConflictException)
        {
            Note(account, id);
        }
    }

    public override void Dispose()
    {
        desk.Ended -= Note;
        base.Dispose();
    }

    [LoggerMessage(75, LogLevel.Error, "Whether jobs are over could not be seen; they are looked at again")]
    static partial void LogFailed(ILogger logger, Exception failure);
}

/// <summary>What becomes of a job: (job, tally, now) → job, without storage and messages.</summary>
static class JobRules
{
    /// <returns>The job as it is from now on; null when nothing changes.</returns>
    public static Job? Decide(Job job, Tally tally, DateTimeOffset now) =>
        job is { Status: JobStatus.IN_PROGRESS, IsContinuous: false, IsConcurrent: false } && tally.Pending == 0
            ? job with { Status = JobStatus.COMPLETED, CompletedAt = now, LastUpdatedAt = now }
            : null;
}
