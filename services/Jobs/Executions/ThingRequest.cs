using Althing.Core;
using Althing.Storage;

namespace Althing.Jobs.Executions;

/// <summary>Something asked of the executions on one thing. <see cref="ExecutionDesk"/> carries them out one at a time for each thing.</summary>
abstract record ThingRequest(AccountId Account, string ThingName)
{
    /// <summary>Reads and decides. What it returns is written with other things' changes, or decided anew when somebody else wrote first.</summary>
    /// <param name="batch">For conditions that the decision rests on.</param>
    /// <exception cref="JobRefusal">It cannot be met.</exception>
    public abstract ValueTask<ThingOutcome> Decide(ExecutionDesk desk, Batch batch, DateTimeOffset now);
}

/// <param name="Answer">For who asked; made before the changes are written, told after.</param>
/// <param name="Changes">Of one namespace.</param>
sealed record ThingOutcome(object? Answer, params IReadOnlyList<ExecutionChange> Changes)
{
    public static ThingOutcome Nothing { get; } = new(Answer: null);
}

/// <param name="Before">Null for a new execution.</param>
/// <param name="After">Null for one that is deleted.</param>
readonly record struct ExecutionChange(Job Job, Row<JobExecution>? Before, JobExecution? After)
{
    public JobExecution Either => After ?? Before!.Value.Value;
}

/// <summary>A device wants to know what is pending.</summary>
sealed record PendingRequest(AccountId Account, string ThingName) : ThingRequest(Account, ThingName)
{
    public override async ValueTask<ThingOutcome> Decide(ExecutionDesk desk, Batch batch, DateTimeOffset now) =>
        new(await desk.Pending(Account, ThingName, null, desk.Limits.PendingShownMax));
}

/// <summary>A device wants to know of an execution.</summary>
/// <param name="JobId">Null for the next pending one.</param>
/// <param name="NamespaceId">Null for that of the topics without one.</param>
sealed record DescribeRequest(AccountId Account, string ThingName, string? JobId, string? NamespaceId, long? Number, bool WithDocument) : ThingRequest(Account, ThingName)
{
    public override async ValueTask<ThingOutcome> Decide(ExecutionDesk desk, Batch batch, DateTimeOffset now)
    {
        if (JobId is null)
        {
            var next = await desk.Pending(Account, ThingName, NamespaceId, 1);
            return next is [var first] ? new(await desk.Describe(first.Value, WithDocument)) : ThingOutcome.Nothing;
        }
        var execution = (await desk.Find(this, JobId, NamespaceId, Number)).Value;
        return execution.IsPending ? new(await desk.Describe(execution, WithDocument))
            : throw new JobRefusal(JobErrorCode.TerminalStateReached, $"The execution of job '{JobId}' is {execution.Status}: it is neither IN_PROGRESS nor QUEUED.");
    }
}

/// <summary>A device takes up what is next.</summary>
sealed record StartNextRequest(AccountId Account, string ThingName, IReadOnlyDictionary<string, string>? StatusDetails, long? StepMinutes) : ThingRequest(Account, ThingName)
{
    public override async ValueTask<ThingOutcome> Decide(ExecutionDesk desk, Batch batch, DateTimeOffset now)
    {
        ExecutionRules.Check(StatusDetails, StepMinutes, desk.Limits);
        if (await desk.Pending(Account, ThingName, null, 1) is not [var next])
            return ThingOutcome.Nothing;
        var job = await desk.JobOf(next.Value);
        var after = ExecutionRules.Start(next.Value, job, StatusDetails, StepMinutes, now);
        return new(await desk.Describe(after, withDocument: true), new ExecutionChange(job, next, after));
    }
}

/// <summary>A device reports on an execution.</summary>
sealed record ReportRequest(AccountId Account, string ThingName, string JobId, string? NamespaceId, long? Number, DeviceReport Report, bool WithDocument)
    : ThingRequest(Account, ThingName)
{
    public override async ValueTask<ThingOutcome> Decide(ExecutionDesk desk, Batch batch, DateTimeOffset now)
    {
        ExecutionRules.Check(Report.StatusDetails, Report.StepMinutes, desk.Limits);
        var row = await desk.Find(this, JobId, NamespaceId, Number);
        var job = await desk.JobOf(row.Value);
        var after = ExecutionRules.Report(row.Value, job, Report, now);
        return new(new Reported(after, WithDocument ? await desk.DocumentOf(job) : null), new ExecutionChange(job, row, after));
    }
}

sealed record Reported(JobExecution Execution, string? Document);

/// <summary>Calls an execution off.</summary>
sealed record CancelRequest(AccountId Account, string ThingName, string JobId, CancelWish Wish) : ThingRequest(Account, ThingName)
{
    public override async ValueTask<ThingOutcome> Decide(ExecutionDesk desk, Batch batch, DateTimeOffset now)
    {
        var row = await desk.Find(this, JobId, null, null);
        var job = await desk.JobOf(row.Value);
        return new(null, new ExecutionChange(job, row, ExecutionRules.Cancel(row.Value, Wish, now)));
    }
}

/// <summary>Deletes an execution.</summary>
/// <param name="Force">Even while it is in progress.</param>
sealed record DeleteRequest(AccountId Account, string ThingName, string JobId, long Number, bool Force) : ThingRequest(Account, ThingName)
{
    public override async ValueTask<ThingOutcome> Decide(ExecutionDesk desk, Batch batch, DateTimeOffset now)
    {
        var row = await desk.Find(this, JobId, null, Number);
        if (row.Value.IsPending && !Force)
        {
            throw new JobRefusal(JobErrorCode.InvalidStateTransition, $"The execution is {row.Value.Status}: only 'force' deletes one that is not over.")
            {
                Execution = row.Value,
            };
        }
        return new(null, new ExecutionChange(await desk.JobOf(row.Value), row, null));
    }
}

/// <summary>A timer of an execution has ended.</summary>
sealed record ExpireRequest(ExecutionTimer Timer) : ThingRequest(Timer.Account, Timer.ThingName)
{
    public override async ValueTask<ThingOutcome> Decide(ExecutionDesk desk, Batch batch, DateTimeOffset now)
    {
        if (await desk.Jobs.FindExecution(Account, ThingName, Timer.JobId, Timer.Number, default) is not { } row || row.Value.DueAt != Timer.At)
        {
            var (account, key) = ExecutionTimer.Table.KeyOf(Timer);
            batch.Delete(ExecutionTimer.Table, account, key);
            return ThingOutcome.Nothing;
        }
        return new(null, new ExecutionChange(await desk.JobOf(row.Value), row, ExecutionRules.Expire(row.Value, now)));
    }
}

/// <summary>Gives a thing an execution of a job that it is a target of, unless it has one.</summary>
/// <param name="Job">As it was read: the execution is made only while the job is still so.</param>
sealed record QueueRequest(Row<Job> Job, string ThingName) : ThingRequest(Job.Account, ThingName)
{
    public override async ValueTask<ThingOutcome> Decide(ExecutionDesk desk, Batch batch, DateTimeOffset now)
    {
        var job = Job.Value;
        var latest = await desk.Jobs.FindExecution(Account, ThingName, job.Id, null, default);
        if (!ExecutionRules.NeedsExecution(latest?.Value) || !await desk.Registry.RequireThing(batch, Account, ThingName, default))
            return ThingOutcome.Nothing;
        // A cancellation, or a deletion, must not be overtaken by what it is to undo.
        if (await desk.Jobs.Find(Account, job.Id, default) is not { Value: { Status: JobStatus.IN_PROGRESS } current } row || current.Uid != job.Uid)
            return ThingOutcome.Nothing;
        batch.Require(Jobs.Job.Table, row);
        var queued = ExecutionRules.Queue(current, ThingName, latest?.Value, now);
        return latest is { } old
            ? new(null, new(current, old, old.Value with { IsSuperseded = true }), new ExecutionChange(current, null, queued))
            : new(null, new ExecutionChange(current, null, queued));
    }
}

/// <summary>The thing is no target of the job any more, or is gone.</summary>
sealed record RemoveRequest(AccountId Account, string ThingName, string JobId) : ThingRequest(Account, ThingName)
{
    public override async ValueTask<ThingOutcome> Decide(ExecutionDesk desk, Batch batch, DateTimeOffset now) =>
        await desk.Jobs.FindExecution(Account, ThingName, JobId, null, default) is { Value.IsPending: true } row
            ? new(null, new ExecutionChange(await desk.JobOf(row.Value), row, ExecutionRules.Remove(row.Value, now)))
            : ThingOutcome.Nothing;
}
