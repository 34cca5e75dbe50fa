namespace Althing.Jobs;

/// <summary>The limits of jobs ("AWS IoT Device Management endpoints and quotas", Jobs). Register another instance to have other ones.</summary>
public sealed record JobLimits
{
    /// <summary>Things and groups that one job names ("Job targets").</summary>
    public int TargetsMax { get; init; } = 100;

    /// <summary>Bytes of a job document, whether it is given or lies in an object ("Document length").</summary>
    public int DocumentBytesMax { get; init; } = 32 * 1024;

    /// <summary>Continuous jobs that are not over ("Active continuous jobs").</summary>
    public int ActiveContinuousMax { get; init; } = 100;

    /// <summary>Jobs that are being deleted at a time ("DeleteJob").</summary>
    public int DeletionsMax { get; init; } = 10;

    /// <summary>Entries of <c>statusDetails</c> ("StatusDetail map key-value pairs").</summary>
    public int StatusDetailsMax { get; init; } = 10;

    /// <summary>Characters of a value in <c>statusDetails</c> ("StatusDetail map value length").</summary>
    public int StatusDetailCharactersMax { get; init; } = 1024;

    /// <summary>The longest in-progress and step timers, seven days ("inProgressTimeoutInMinutes", "stepTimeoutInMinutes").</summary>
    public int TimeoutMinutesMax { get; init; } = 10_080;

    /// <summary>Things that a job's rollout may notify in a minute ("maximumPerMinute").</summary>
    public int RolloutPerMinuteMax { get; init; } = 1000;

    /// <summary>Retries of one thing, of all failure types together ("Job execution retry configuration").</summary>
    public int RetriesMax { get; init; } = 10;

    /// <summary>Executions in a notification and in an answer to GetPendingJobExecutions ("Maximum number of pending job executions").</summary>
    public int PendingShownMax { get; init; } = 10;

    /// <summary>Requests of one client that may wait at a time; more are refused with RequestThrottled.</summary>
    public int RequestsInFlightMax { get; init; } = 10;
}
