using System.Globalization;
using Althing.Storage;

namespace Althing.Jobs;

enum ExecutionStatus { QUEUED, IN_PROGRESS, SUCCEEDED, FAILED, TIMED_OUT, REJECTED, REMOVED, CANCELED }

/// <summary>A job on one thing.</summary>
sealed record JobExecution
{
    public static readonly Table<JobExecution> Table = new("job-executions", e => (e.Account, KeyOf(e.ThingName, e.JobId, e.Number)),
        Index<JobExecution>.On("pending", e => e.IsPending ? Key.Of(e.ThingName, e.NamespaceId ?? "", e.Rank, Moment(e.QueuedAt)) : null),
        Index<JobExecution>.On("job", e => e.JobId),
        Index<JobExecution>.On("status", e => e.IsLatest ? Key.Of(e.JobId, e.Status.ToString()) : null));

    public required AccountId Account { get; init; }
    public required string ThingName { get; init; }
    public required string JobId { get; init; }

    /// <summary>1 for a job's first execution on a thing, one more for each that follows.</summary>
    public required long Number { get; init; }
    public required ExecutionStatus Status { get; init; }
    public required DateTimeOffset QueuedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public required DateTimeOffset LastUpdatedAt { get; init; }

    /// <summary>1 when queued, one more with each change.</summary>
    public required long Version { get; init; }
    public IReadOnlyDictionary<string, string>? StatusDetails { get; init; }
    public string? NamespaceId { get; init; }
    public bool ForceCanceled { get; init; }

    /// <summary>Which retry this is, from 1; null for the first attempt.</summary>
    public int? RetryAttempt { get; init; }

    /// <summary>Another execution of the job on this thing has followed: this one is history and does not count.</summary>
    public bool IsSuperseded { get; init; }

    /// <summary>When the job's own timer ends; set when the execution begins.</summary>
    public DateTimeOffset? TimesOutAt { get; init; }

    /// <summary>When the timer ends that the device set.</summary>
    public DateTimeOffset? StepTimesOutAt { get; init; }

    public bool IsPending => Status is ExecutionStatus.QUEUED or ExecutionStatus.IN_PROGRESS;
    public bool IsLatest => !IsSuperseded;

    /// <summary>The earlier of both timers, while they run.</summary>
    public DateTimeOffset? DueAt => Status != ExecutionStatus.IN_PROGRESS ? null
        : TimesOutAt is { } all && StepTimesOutAt is { } step ? (all < step ? all : step) : TimesOutAt ?? StepTimesOutAt;

    /// <summary>Those in progress come before those that wait.</summary>
    string Rank => Status == ExecutionStatus.IN_PROGRESS ? "0" : "1";

    public static string KeyOf(string thing, string job, long number) => Key.Of(thing, job, number.ToString("D10", CultureInfo.InvariantCulture));

    /// <summary>A thing's pending executions in the order in which they are to be carried out.</summary>
    public static Scan PendingOf(string thing, string? namespaceId, int limit) =>
        new() { Index = "pending", Prefix = Key.Prefix(thing, namespaceId ?? ""), Limit = limit };

    public static string Moment(DateTimeOffset time) => time.ToUnixTimeMilliseconds().ToString("D15", CultureInfo.InvariantCulture);
}

/// <summary>
/// When an execution's timer ends. Rows of all accounts stand in the order of their times, so the next one is the first row whatever the
/// number of executions; each is written in the commit that sets or ends the timer.
/// </summary>
sealed record ExecutionTimer
{
    public static readonly Table<ExecutionTimer> Table = new("job-timers", t => (AccountId.Platform, KeyOf(t.At, t.Account, t.ExecutionKey)));

    public required DateTimeOffset At { get; init; }
    public required AccountId Account { get; init; }
    public required string ThingName { get; init; }
    public required string JobId { get; init; }
    public required long Number { get; init; }

    string ExecutionKey => JobExecution.KeyOf(ThingName, JobId, Number);

    public static string KeyOf(DateTimeOffset at, AccountId account, string executionKey) => Key.Of(JobExecution.Moment(at), account.Value, executionKey);

    public static ExecutionTimer? Of(JobExecution? execution) => execution?.DueAt is not { } at ? null : new()
    {
        At = at,
        Account = execution.Account,
        ThingName = execution.ThingName,
        JobId = execution.JobId,
        Number = execution.Number,
    };

    /// <summary>Keeps the timer's row as the execution's change has it.</summary>
    public static void Follow(Batch batch, JobExecution? before, JobExecution? after)
    {
        var (old, now) = (Of(before), Of(after));
        if (old == now)
            return;
        if (old is not null)
            batch.Delete(Table, AccountId.Platform, KeyOf(old.At, old.Account, old.ExecutionKey));
        if (now is not null)
            batch.Put(Table, now);
    }
}
