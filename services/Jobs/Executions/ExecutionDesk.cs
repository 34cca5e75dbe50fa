using System.Collections.Concurrent;
using Althing.Core;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Jobs.Executions;

/// <summary>
/// Where all that happens to executions is dealt with, one at a time for each thing. A lane decides what has gathered for its things together,
/// keeps it with one write, and only then answers and tells. Another process that wrote first is noticed by the rows' versions; then all is
/// decided anew.
/// </summary>
sealed partial class ExecutionDesk(
    IStore store, JobStore jobs, DocumentTexts documents, IRegistry registry, JobNotices notices, JobLimits limits, TimeProvider clock,
    ILogger<ExecutionDesk> logger)
{
    const int Lanes = 32;
    const int BatchMax = 64;

    /// <summary>How often a batch is decided anew because somebody else wrote first.</summary>
    const int AttemptsMax = 20;

    readonly Lane[] lanes = [.. Enumerable.Range(0, Lanes).Select(i => new Lane(i))];

    /// <summary>An execution's timer runs until then. Handlers must only note it.</summary>
    public event Action<DateTimeOffset>? TimerSet;

    /// <summary>An execution of this job came to an end, or was deleted. Handlers must only note it.</summary>
    public event Action<AccountId, string>? Ended;

    public JobLimits Limits => limits;
    public JobStore Jobs => jobs;
    public IRegistry Registry => registry;

    sealed class Lane(int number)
    {
        public int Number => number;
        public Lock Gate { get; } = new();
        public LinkedList<Waiting> Queue { get; } = new();
        public bool Works { get; set; }
    }

    sealed record Waiting(ThingRequest Request)
    {
        public TaskCompletionSource<object?> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Answers when what the request changed is durable and told.</summary>
    /// <exception cref="JobRefusal">It was refused.</exception>
    public Task<object?> Ask(ThingRequest request)
    {
        var lane = lanes[LaneOf(request)];
        var waiting = new Waiting(request);
        lock (lane.Gate)
        {
            lane.Queue.AddLast(waiting);
            if (lane.Works)
                return waiting.Done.Task;
            lane.Works = true;
        }
        _ = Task.Run(() => Work(lane));
        return waiting.Done.Task;
    }

    /// <summary>The same for a thing in every process of a cluster, so that they seldom write one tally.</summary>
    static int LaneOf(ThingRequest request)
    {
        var hash = 2166136261u;
        foreach (var letter in request.ThingName)
            hash = (hash ^ letter) * 16777619u;
        return (int)((hash ^ (hash >> 15)) % Lanes);
    }

    async Task Work(Lane lane)
    {
        while (Take(lane) is { Count: > 0 } batch)
        {
            try
            {
                await Decide(lane, batch);
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                LogFailed(logger, failure);
                foreach (var waiting in batch)
                    waiting.Done.TrySetException(failure);
            }
        }
    }

    /// <summary>What can be decided together: one request for each thing, the oldest ones.</summary>
    static List<Waiting> Take(Lane lane)
    {
        List<Waiting> batch = [];
        HashSet<(AccountId, string)> things = [];
        lock (lane.Gate)
        {
            for (var node = lane.Queue.First; node is not null && batch.Count < BatchMax;)
            {
                var next = node.Next;
                if (!things.Add((node.Value.Request.Account, node.Value.Request.ThingName)))
                    break;
                batch.Add(node.Value);
                lane.Queue.Remove(node);
                node = next;
            }
            lane.Works = batch.Count > 0;
        }
        return batch;
    }

    async Task Decide(Lane lane, List<Waiting> batch)
    {
        for (var attempt = 1; ; attempt++)
        {
            var (writes, all) = await Apply(lane, batch);
            try
            {
                await store.Commit(writes, CancellationToken.None);
            }
            catch (StorageConflictException) when (attempt < AttemptsMax)
            {
                continue;
            }
            foreach (var decided in all)
                await Finish(decided);
            return;
        }
    }

    /// <param name="Front">The next pending execution before the change, where somebody listens.</param>
    sealed record Decided(Waiting Waiting, ThingOutcome? Outcome, Exception? Refusal, PendingFront? Front);

    async Task<(Batch Writes, List<Decided> All)> Apply(Lane lane, List<Waiting> batch)
    {
        var writes = new Batch();
        List<Decided> all = [];
        var tallies = new TallyChanges(lane.Number);
        foreach (var waiting in batch)
        {
            try
            {
                var outcome = await waiting.Request.Decide(this, writes, clock.GetUtcNow());
                var changes = outcome.Changes.Where(c => !ReferenceEquals(c.Before?.Value, c.After)).ToList();
                var front = changes.Count > 0 ? await notices.FrontBefore(changes[0].Either, default) : null;
                foreach (var change in changes)
                {
                    Write(writes, change);
                    tallies.Note(change);
                }
                all.Add(new(waiting, outcome with { Changes = changes }, null, front));
            }
            // One request that fails must not take the others with it; a store that fails does.
            catch (Exception refusal) when (refusal is not (StorageException or StorageConflictException or OutOfMemoryException))
            {
                all.Add(new(waiting, null, refusal, null));
            }
        }
        await tallies.Write(writes, store);
        return (writes, all);
    }

    static void Write(Batch writes, ExecutionChange change)
    {
        if (change.After is null)
            writes.Delete(JobExecution.Table, change.Before!.Value);
        else if (change.Before is { } read)
            writes.Replace(JobExecution.Table, read, change.After);
        else
            writes.Add(JobExecution.Table, change.After);
        ExecutionTimer.Follow(writes, change.Before?.Value, change.After);
    }

    async Task Finish(Decided decided)
    {
        if (decided.Outcome is not { } outcome)
        {
            decided.Waiting.Done.SetException(decided.Refusal!);
            return;
        }
        foreach (var change in outcome.Changes)
        {
            if (change.After?.DueAt is { } at)
                TimerSet?.Invoke(at);
            if (change.After is not { IsPending: true })
                Ended?.Invoke(change.Job.Account, change.Job.Id);
        }
        try
        {
            if (outcome.Changes.Count > 0)
                await notices.Tell(outcome.Changes, decided.Front, CancellationToken.None);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // The change stands; devices learn of it when they next ask.
            LogUntold(logger, failure);
        }
        decided.Waiting.Done.SetResult(outcome.Answer);
    }

    /// <summary>A thing's pending executions.</summary>
    public ValueTask<IReadOnlyList<Row<JobExecution>>> Pending(AccountId account, string thing, string? namespaceId, int limit) =>
        store.Scan(JobExecution.Table, account, JobExecution.PendingOf(thing, namespaceId, limit), default);

    /// <exception cref="JobRefusal">ResourceNotFound.</exception>
    public async ValueTask<Row<JobExecution>> Find(ThingRequest request, string job, string? namespaceId, long? number) =>
        await jobs.FindExecution(request.Account, request.ThingName, job, number, default) is { } row && (namespaceId is null || row.Value.NamespaceId == namespaceId)
            ? row
            : throw JobRefusal.NoExecution(request.ThingName, job, number);

    public async ValueTask<Job> JobOf(JobExecution execution) =>
        (await jobs.Find(execution.Account, execution.JobId, default))?.Value ?? throw JobRefusal.NoExecution(execution.ThingName, execution.JobId, null);

    /// <summary>The document as the device gets it.</summary>
    public ValueTask<string> DocumentOf(Job job) => documents.ForDevice(job, default);

    public async ValueTask<Described> Describe(JobExecution execution, bool withDocument) =>
        new(execution, withDocument ? await DocumentOf(await JobOf(execution)) : null);

    [LoggerMessage(70, LogLevel.Error, "Requests to job executions could not be carried out")]
    static partial void LogFailed(ILogger logger, Exception failure);

    [LoggerMessage(71, LogLevel.Error, "A change of job executions could not be told")]
    static partial void LogUntold(ILogger logger, Exception failure);
}

/// <param name="Document">Null when it was not asked for.</param>
sealed record Described(JobExecution Execution, string? Document);

/// <summary>What a batch does to the tallies of the jobs that it touches.</summary>
sealed class TallyChanges(int lane)
{
    readonly Dictionary<(AccountId Account, string Job), Dictionary<ExecutionStatus, long>> jobs = [];

    public void Note(ExecutionChange change)
    {
        if (change.Before?.Value is { IsSuperseded: false } before)
            Add(before, -1);
        if (change.After is { IsSuperseded: false } after)
            Add(after, 1);
    }

    void Add(JobExecution execution, int step)
    {
        var place = (execution.Account, execution.JobId);
        if (!jobs.TryGetValue(place, out var counts))
            jobs[place] = counts = [];
        counts[execution.Status] = counts.GetValueOrDefault(execution.Status) + step;
    }

    public async ValueTask Write(Batch writes, IStore store)
    {
        foreach (var ((account, job), steps) in jobs)
        {
            if (steps.Values.All(s => s == 0))
                continue;
            var read = await store.Get(JobTally.Table, account, JobTally.KeyOf(job, lane), default);
            Dictionary<ExecutionStatus, long> counts = new(read?.Value.Counts ?? new Dictionary<ExecutionStatus, long>());
            foreach (var (status, step) in steps)
                counts[status] = counts.GetValueOrDefault(status) + step;
            var tally = new JobTally { Account = account, JobId = job, Lane = lane, Counts = counts };
            if (read is { } there)
                writes.Replace(JobTally.Table, there, tally);
            else
                writes.Add(JobTally.Table, tally);
        }
    }
}
