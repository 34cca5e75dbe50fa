using System.Text.RegularExpressions;

namespace Althing.Jobs.Executions;

/// <summary>What may become of an execution ("Jobs and job execution states"): (execution, event, now) → execution, without storage and messages.</summary>
static partial class ExecutionRules
{
    /// <summary>The first execution of a job on a thing, or the one that follows another.</summary>
    public static JobExecution Queue(Job job, string thing, JobExecution? last, DateTimeOffset now) => new()
    {
        Account = job.Account,
        ThingName = thing,
        JobId = job.Id,
        Number = (last?.Number ?? 0) + 1,
        Status = ExecutionStatus.QUEUED,
        QueuedAt = now,
        LastUpdatedAt = now,
        Version = 1,
        NamespaceId = job.NamespaceId,
    };

    /// <summary>A device takes its next execution up. One that is in progress already stays as it is, but for a new step timer.</summary>
    public static JobExecution Start(JobExecution execution, Job job, IReadOnlyDictionary<string, string>? details, long? stepMinutes, DateTimeOffset now) =>
        execution.Status == ExecutionStatus.QUEUED ? Begin(execution, job, now) with
        {
            Version = execution.Version + 1,
            LastUpdatedAt = now,
            StatusDetails = details ?? execution.StatusDetails,
            StepTimesOutAt = StepTimer(stepMinutes, null, now),
        }
        : stepMinutes is null ? execution
        : execution with { Version = execution.Version + 1, LastUpdatedAt = now, StepTimesOutAt = StepTimer(stepMinutes, execution.StepTimesOutAt, now) };

    /// <summary>A device reports.</summary>
    /// <exception cref="JobRefusal">The execution is over, or is not what the device believes it to be; the state is not a device's to report.</exception>
    public static JobExecution Report(JobExecution execution, Job job, DeviceReport report, DateTimeOffset now)
    {
        if (report.Status is not (ExecutionStatus.IN_PROGRESS or ExecutionStatus.SUCCEEDED or ExecutionStatus.FAILED or ExecutionStatus.REJECTED))
            throw Invalid($"A device cannot make an execution {report.Status}: IN_PROGRESS, SUCCEEDED, FAILED and REJECTED are its states to report.");
        CheckVersion(execution, report.ExpectedVersion);
        if (!execution.IsPending)
        {
            throw new JobRefusal(JobErrorCode.InvalidStateTransition, $"The execution is {execution.Status}, which is final: it cannot become {report.Status}.")
            {
                Execution = execution,
            };
        }
        var begun = report.Status == ExecutionStatus.IN_PROGRESS && execution.Status == ExecutionStatus.QUEUED ? Begin(execution, job, now) : execution;
        var reported = begun with
        {
            Status = report.Status,
            Version = execution.Version + 1,
            LastUpdatedAt = now,
            StatusDetails = report.StatusDetails ?? execution.StatusDetails,
        };
        return reported.IsPending ? reported with { StepTimesOutAt = StepTimer(report.StepMinutes, execution.StepTimesOutAt, now) } : WithoutTimers(reported);
    }

    /// <summary>A person, or the cancellation of the job, calls it off.</summary>
    /// <exception cref="JobRefusal">It is over, or in progress and not forced.</exception>
    public static JobExecution Cancel(JobExecution execution, CancelWish wish, DateTimeOffset now)
    {
        if (!execution.IsPending || (execution.Status == ExecutionStatus.IN_PROGRESS && !wish.Force))
        {
            var why = execution.IsPending ? "only 'force' cancels what a device has begun" : "that is final";
            throw new JobRefusal(JobErrorCode.InvalidStateTransition, $"The execution is {execution.Status} and cannot be cancelled: {why}.") { Execution = execution };
        }
        CheckVersion(execution, wish.ExpectedVersion);
        return WithoutTimers(execution with
        {
            Status = ExecutionStatus.CANCELED,
            Version = execution.Version + 1,
            LastUpdatedAt = now,
            ForceCanceled = wish.Force,
            StatusDetails = wish.StatusDetails ?? execution.StatusDetails,
        });
    }

    /// <summary>The thing is no target any more, or is gone. What is over stays as it is.</summary>
    public static JobExecution Remove(JobExecution execution, DateTimeOffset now) => End(execution, ExecutionStatus.REMOVED, now);

    /// <summary>A timer has ended; it may have been another one that has been replaced since.</summary>
    public static JobExecution Expire(JobExecution execution, DateTimeOffset now) =>
        execution.DueAt <= now ? End(execution, ExecutionStatus.TIMED_OUT, now) : execution;

    static JobExecution End(JobExecution execution, ExecutionStatus status, DateTimeOffset now) => !execution.IsPending ? execution
        : WithoutTimers(execution with { Status = status, Version = execution.Version + 1, LastUpdatedAt = now });

    /// <summary>Whether a job's target that has this latest execution is to get a new one.</summary>
    public static bool NeedsExecution(JobExecution? latest) => latest is null or { Status: ExecutionStatus.REMOVED };

    static JobExecution Begin(JobExecution execution, Job job, DateTimeOffset now) => execution with
    {
        Status = ExecutionStatus.IN_PROGRESS,
        StartedAt = now,
        TimesOutAt = job.TimeoutConfig?.InProgressTimeoutInMinutes is { } minutes ? now.AddMinutes(minutes) : null,
    };

    static JobExecution WithoutTimers(JobExecution execution) => execution with { TimesOutAt = null, StepTimesOutAt = null };

    /// <param name="minutes">-1 ends the timer.</param>
    static DateTimeOffset? StepTimer(long? minutes, DateTimeOffset? there, DateTimeOffset now) => minutes switch
    {
        null => there,
        -1 => null,
        { } given => now.AddMinutes(given),
    };

    static void CheckVersion(JobExecution execution, long? expected)
    {
        if (expected is { } wanted && wanted != execution.Version)
        {
            throw new JobRefusal(JobErrorCode.VersionMismatch, $"The execution has version {execution.Version}, not the expected version {wanted}.")
            {
                Execution = execution,
            };
        }
    }

    /// <exception cref="JobRefusal">InvalidRequest for details or a timer beyond the limits.</exception>
    public static void Check(IReadOnlyDictionary<string, string>? details, long? stepMinutes, JobLimits limits)
    {
        if (details?.Count > limits.StatusDetailsMax)
            throw Invalid($"'statusDetails' has {details.Count} entries: {limits.StatusDetailsMax} are allowed.");
        foreach (var (name, value) in details ?? new Dictionary<string, string>())
        {
            if (!DetailNames().IsMatch(name))
                throw Invalid($"The name '{name}' in 'statusDetails' does not match [a-zA-Z0-9:_-]{{1,128}}.");
            if (value.Length == 0 || value.Length > limits.StatusDetailCharactersMax || ControlCharacters().IsMatch(value))
                throw Invalid($"The value of '{name}' in 'statusDetails' must have 1 to {limits.StatusDetailCharactersMax} characters, none of them a control character.");
        }
        if (stepMinutes is { } minutes && minutes != -1 && (minutes < 1 || minutes > limits.TimeoutMinutesMax))
            throw Invalid($"'stepTimeoutInMinutes' is {minutes}: 1 to {limits.TimeoutMinutesMax}, or -1 to end the timer, is allowed.");
    }

    public static JobRefusal Invalid(string message) => new(JobErrorCode.InvalidRequest, message);

    [GeneratedRegex(@"^[a-zA-Z0-9:_-]{1,128}\z", RegexOptions.CultureInvariant)]
    private static partial Regex DetailNames();

    [GeneratedRegex(@"\p{C}", RegexOptions.CultureInvariant)]
    private static partial Regex ControlCharacters();
}

/// <summary>What a device says of an execution.</summary>
/// <param name="StatusDetails">Null leaves those there are.</param>
/// <param name="StepMinutes">Null leaves the step timer as it is.</param>
sealed record DeviceReport(ExecutionStatus Status, IReadOnlyDictionary<string, string>? StatusDetails, long? StepMinutes, long? ExpectedVersion);

sealed record CancelWish(bool Force, long? ExpectedVersion = null, IReadOnlyDictionary<string, string>? StatusDetails = null);
