using Althing.Broker;
using Althing.Core;
using Althing.Jobs.Executions;
using Althing.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Jobs.Rollout;

/// <summary>
/// Has executions follow the registry: what joins a continuous job's groups gets an execution, what leaves them, or is deleted, loses the one
/// that is pending. A change is followed by the node that it was made on; whoever leads compares everything at its start, for what a kill kept
/// from being followed.
/// </summary>
sealed partial class MembershipKeeper(
    IStore store, JobStore jobs, ExecutionDesk desk, IRegistry registry, RegistryChanges changes, MqttBroker broker, ILogger<MembershipKeeper> logger)
    : BackgroundService
{
    /// <summary>Things that may wait to be looked at; beyond it everything is compared instead.</summary>
    const int WaitingMax = 200_000;
    const int ChunkMax = 256;

    readonly Bell bell = new();
    readonly Lock gate = new();
    Dictionary<(AccountId Account, string Thing), bool> waiting = [];
    bool compareAll = true;
    TaskCompletionSource settled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when what was noted so far has been followed.</summary>
    public Task Settled
    {
        get
        {
            lock (gate)
                return settled.Task;
        }
    }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        changes.Changed += Note;
        return base.StartAsync(cancellationToken);
    }

    void Note(RegistryChange change)
    {
        var gone = change is { Resource: RegistryResource.Thing, Verb: RegistryVerb.Deleted };
        if (change.IsFromElsewhere || (!gone && change.Resource != RegistryResource.ThingGroupMembership))
            return;
        lock (gate)
        {
            if (settled.Task.IsCompleted)
                settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
            var place = (change.Account, change.Id);
            if (waiting.Count >= WaitingMax)
                compareAll = true;
            else
                waiting[place] = gone || waiting.GetValueOrDefault(place);
        }
        bell.Ring();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            Dictionary<(AccountId Account, string Thing), bool> now;
            bool all;
            lock (gate)
            {
                (now, waiting) = (waiting, []);
                (all, compareAll) = (compareAll, false);
            }
            try
            {
                foreach (var chunk in now.Chunk(ChunkMax))
                    await Task.WhenAll(chunk.Select(n => Follow(n.Key.Account, n.Key.Thing, n.Value, stoppingToken)));
                if (all && broker.LeadsCluster)
                    await CompareAll(stoppingToken);
            }
            catch (Exception failure) when (failure is not (OutOfMemoryException or OperationCanceledException))
            {
                LogFailed(logger, failure);
                lock (gate)
                    compareAll = true;
            }
            lock (gate)
            {
                if (waiting.Count == 0)
                    settled.TrySetResult();
            }
            await bell.Wait(stoppingToken);
        }
    }

    /// <param name="deleted">A thing of this name was deleted; there may be another one by now.</param>
    async Task Follow(AccountId account, string thing, bool deleted, CancellationToken cancel)
    {
        if (deleted)
            await RemoveAll(account, thing, cancel);
        if (await registry.FindThing(account, thing, cancel) is null)
            return;
        var continuous = await store.Scan(Job.Table, account, Scan.By("continuous", ""), cancel);
        if (continuous.Count == 0)
            return;
        var groups = await registry.GroupsOf(account, thing, cancel);
        foreach (var job in continuous)
            await Follow(job, thing, groups, cancel);
    }

    async Task Follow(Row<Job> job, string thing, IReadOnlySet<string> groups, CancellationToken cancel)
    {
        if (await IsTarget(job.Value, thing, groups, cancel))
            await Ask(new QueueRequest(job, thing));
        else
            await Ask(new RemoveRequest(job.Account, thing, job.Value.Id));
    }

    async ValueTask<bool> IsTarget(Job job, string thing, IReadOnlySet<string> groups, CancellationToken cancel)
    {
        foreach (var target in job.Targets)
        {
            // A group of the same name that came later is another one.
            if (target.GroupId is null ? target.Name == thing : groups.Contains(target.Name) && await IsSame(target))
                return true;
        }
        return false;

        async ValueTask<bool> IsSame(JobTarget target) => (await registry.FindGroup(job.Account, target.Name, cancel))?.Id == target.GroupId;
    }

    async Task RemoveAll(AccountId account, string thing, CancellationToken cancel)
    {
        for (string? after = null; ;)
        {
            var scan = Scan.Under(Key.Prefix(thing)) with { After = after, Limit = ChunkMax };
            var rows = await store.Scan(JobExecution.Table, account, scan, cancel);
            foreach (var row in rows.Where(r => r.Value.IsPending))
                await Ask(new RemoveRequest(account, thing, row.Value.JobId));
            if (rows.Count < ChunkMax)
                return;
            after = rows[^1].Cursor;
        }
    }

    async Task Ask(ThingRequest request)
    {
        try
        {
            await desk.Ask(request);
        }
        catch (JobRefusal)
        {
            // The job is gone.
        }
    }

    async Task CompareAll(CancellationToken cancel)
    {
        await foreach (var row in store.ScanAll(Job.Table, cancel))
        {
            if (row.Value.Status != JobStatus.IN_PROGRESS)
                continue;
            await ComparePending(row, cancel);
            // What is still being unrolled will come to these things by itself.
            if (row.Value is { IsContinuous: true, IsConcurrent: false })
                await CompareTargets(row, cancel);
        }
    }

    async Task ComparePending(Row<Job> job, CancellationToken cancel)
    {
        foreach (var status in new[] { ExecutionStatus.QUEUED, ExecutionStatus.IN_PROGRESS })
        {
            for (string? after = null; ;)
            {
                var scan = Scan.By("status", Key.Of(job.Value.Id, status.ToString())) with { After = after, Limit = ChunkMax };
                var rows = await store.Scan(JobExecution.Table, job.Account, scan, cancel);
                foreach (var row in rows)
                {
                    var thing = row.Value.ThingName;
                    if (await registry.FindThing(job.Account, thing, cancel) is null
                        || (job.Value.IsContinuous && !await IsTarget(job.Value, thing, await registry.GroupsOf(job.Account, thing, cancel), cancel)))
                        await Ask(new RemoveRequest(job.Account, thing, job.Value.Id));
                }
                if (rows.Count < ChunkMax)
                    break;
                after = rows[^1].Cursor;
            }
        }
    }

    async Task CompareTargets(Row<Job> job, CancellationToken cancel)
    {
        foreach (var target in job.Value.Targets.Where(t => t.GroupId is not null))
        {
            await foreach (var thing in registry.MembersOf(job.Account, target.Name, cancel))
            {
                if (await jobs.FindExecution(job.Account, thing, job.Value.Id, null, cancel) is var latest && ExecutionRules.NeedsExecution(latest?.Value))
                    await Ask(new QueueRequest(job, thing));
            }
        }
    }

    public override void Dispose()
    {
        changes.Changed -= Note;
        base.Dispose();
    }

    [LoggerMessage(77, LogLevel.Error, "Executions could not follow the registry's changes; everything is compared")]
    static partial void LogFailed(ILogger logger, Exception failure);
}
