using System.Collections.Concurrent;
using Althing.Broker;
using Althing.Core;
using Althing.Jobs.Executions;
using Althing.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Jobs.Rollout;

/// <summary>
/// Does to many executions what a job's <see cref="JobWork"/> says: makes them, cancels them, deletes them. One node of a cluster works; what a
/// kill interrupts begins again after the start, and finds what has been done already.
/// </summary>
sealed partial class JobWorker(
    IStore store, JobStore jobs, ExecutionDesk desk, JobEvents events, JobWatch watch, IRegistry registry, MqttBroker broker, TimeProvider clock,
    ILogger<JobWorker> logger) : BackgroundService
{
    /// <summary>Executions asked for at a time; memory does not grow with the targets.</summary>
    const int ChunkMax = 512;

    static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(5);
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    readonly Bell bell = new();
    readonly ConcurrentDictionary<(AccountId, string), Task> running = new();

    /// <summary>There is new work.</summary>
    public void Wake() => bell.Ring();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            if (broker.LeadsCluster)
                await Begin(stoppingToken);
            // Another node may have taken the call, or may have led until now.
            using var timer = broker.IsClustered ? clock.CreateTimer(_ => Wake(), null, LookEvery, Timeout.InfiniteTimeSpan) : null;
            await bell.Wait(stoppingToken);
        }
    }

    async Task Begin(CancellationToken cancel)
    {
        await foreach (var row in store.ScanAll(JobWork.Table, cancel))
        {
            var place = (row.Account, row.Value.JobId);
            if (running.TryGetValue(place, out var work) && !work.IsCompleted)
                continue;
            running[place] = work = Task.Run(() => Work(row.Account, row.Value.JobId, cancel), cancel);
            // Work that came between the last look and the end is seen now.
            _ = work.ContinueWith(
                done =>
                {
                    running.TryRemove(new(place, done));
                    Wake();
                }, cancel, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    async Task Work(AccountId account, string id, CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                if (await store.Get(JobWork.Table, account, id, cancel) is not { } work)
                    return;
                if (await jobs.Find(account, id, cancel) is not { } job)
                    await store.Commit(new Batch().Delete(JobWork.Table, work), cancel);
                else if (await Do(job, work, cancel))
                    await Finish(job.Value, work, cancel);
            }
            catch (StorageConflictException)
            {
                // The job or its work is another one now: look again.
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                LogFailed(logger, id, account, failure);
                await Task.Delay(AgainAfter, clock, cancel);
            }
        }
    }

    /// <returns>Whether all of it is done; false when the work has become another.</returns>
    Task<bool> Do(Row<Job> job, Row<JobWork> work, CancellationToken cancel) => work.Value.Kind switch
    {
        JobWorkKind.Unroll => Unroll(job, work, cancel),
        JobWorkKind.Cancel => Sweep(work, work.Value.Force ? [ExecutionStatus.QUEUED, ExecutionStatus.IN_PROGRESS] : [ExecutionStatus.QUEUED], Cancel, cancel),
        _ => Sweep(work, null, e => new DeleteRequest(e.Account, e.ThingName, e.JobId, e.Number, Force: true), cancel),
    };

    static CancelRequest Cancel(JobExecution execution) =>
        new(execution.Account, execution.ThingName, execution.JobId, new(Force: execution.Status == ExecutionStatus.IN_PROGRESS));

    async Task<bool> Unroll(Row<Job> job, Row<JobWork> work, CancellationToken cancel)
    {
        foreach (var target in work.Value.Targets)
        {
            List<ThingRequest> chunk = [];
            await foreach (var thing in ThingsOf(job.Account, target, cancel))
            {
                chunk.Add(new QueueRequest(job, thing));
                if (chunk.Count < ChunkMax)
                    continue;
                if (!await IsStill(work, cancel))
                    return false;
                await AskAll(chunk);
                chunk.Clear();
            }
            await AskAll(chunk);
            if (!await IsStill(work, cancel))
                return false;
        }
        return true;
    }

    async IAsyncEnumerable<string> ThingsOf(AccountId account, JobTarget target, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        if (target.GroupId is null)
        {
            yield return target.Name;
            yield break;
        }
        await foreach (var thing in registry.MembersOf(account, target.Name, cancel))
            yield return thing;
    }

    /// <param name="statuses">Null for all executions, those that are history too.</param>
    async Task<bool> Sweep(Row<JobWork> work, ExecutionStatus[]? statuses, Func<JobExecution, ThingRequest> request, CancellationToken cancel)
    {
        var scans = statuses is null ? [Scan.By("job", work.Value.JobId)] : statuses.Select(s => Scan.By("status", Key.Of(work.Value.JobId, s.ToString())));
        foreach (var scan in scans)
        {
            for (string? after = null; ;)
            {
                var rows = await store.Scan(JobExecution.Table, work.Account, scan with { After = after, Limit = ChunkMax }, cancel);
                await AskAll(rows.Select(r => request(r.Value)));
                if (!await IsStill(work, cancel))
                    return false;
                if (rows.Count < ChunkMax)
                    break;
                after = rows[^1].Cursor;
            }
        }
        return true;
    }

    async ValueTask<bool> IsStill(Row<JobWork> work, CancellationToken cancel) =>
        await store.Get(JobWork.Table, work.Account, work.Key, cancel) is { } now && now.Version == work.Version;

    /// <summary>Asks and waits for all; what has come to an end by itself meanwhile needs nothing.</summary>
    async Task AskAll(IEnumerable<ThingRequest> requests)
    {
        foreach (var asked in requests.Select(desk.Ask).ToList())
        {
            try
            {
                await asked;
            }
            catch (JobRefusal)
            {
                // Its device, or somebody else, was faster.
            }
        }
    }

    async Task Finish(Job done, Row<JobWork> work, CancellationToken cancel)
    {
        if (await jobs.Find(done.Account, done.Id, cancel) is not { } row)
            return;
        var (job, batch) = (row.Value with { IsConcurrent = false }, new Batch().Delete(JobWork.Table, work));
        if (work.Value.Kind == JobWorkKind.Delete)
        {
            await Forget(batch, row, cancel);
            await store.Commit(batch, cancel);
            events.Deleted(row.Value);
            return;
        }
        if (work.Value.Kind == JobWorkKind.Cancel)
            job = job with { CompletedAt = clock.GetUtcNow(), LastUpdatedAt = clock.GetUtcNow() };
        await store.Commit(batch.Replace(Job.Table, row, job), cancel);
        if (work.Value.Kind == JobWorkKind.Cancel)
            events.Canceled(job);
        else
            watch.Note(job.Account, job.Id);
    }

    async ValueTask Forget(Batch batch, Row<Job> job, CancellationToken cancel)
    {
        batch.Delete(Job.Table, job).Delete(JobDocument.Table, job.Account, job.Value.Id);
        foreach (var tally in await store.Scan(JobTally.Table, job.Account, Scan.Under(Key.Prefix(job.Value.Id)), cancel))
            batch.Delete(JobTally.Table, tally);
        Api.TagStore.Forget(batch, job.Account, Job.TagKey(job.Value.Id));
    }

    [LoggerMessage(74, LogLevel.Error, "The work on job {Job} of account {Account} is interrupted; it goes on in a few seconds")]
    static partial void LogFailed(ILogger logger, string job, AccountId account, Exception failure);
}
