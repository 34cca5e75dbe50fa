using Althing.Api;

namespace Althing.Jobs;

/// <summary>For whom, and how long, URLs in a document are good.</summary>
sealed record PresignedUrlConfig
{
    [Length(20, 2048)]
    public string? RoleArn { get; init; }
    [Range(60, 3600)]
    public long? ExpiresInSec { get; init; }
}

/// <summary>How long a device may take from beginning an execution.</summary>
sealed record TimeoutConfig
{
    public long? InProgressTimeoutInMinutes { get; init; }
}

sealed record JobExecutionsRolloutConfig
{
    [Range(1)]
    public int? MaximumPerMinute { get; init; }
    public ExponentialRolloutRate? ExponentialRate { get; init; }
}

sealed record ExponentialRolloutRate
{
    [Range(1, 1000)]
    public required int BaseRatePerMinute { get; init; }
    [Range(1.1, 5)]
    public required double IncrementFactor { get; init; }
    public required RateIncreaseCriteria RateIncreaseCriteria { get; init; }
}

sealed record RateIncreaseCriteria
{
    [Range(1)]
    public int? NumberOfNotifiedThings { get; init; }
    [Range(1)]
    public int? NumberOfSucceededThings { get; init; }
}

sealed record AbortConfig
{
    [Length(1)]
    public required IReadOnlyList<AbortCriteria> CriteriaList { get; init; }
}

sealed record AbortCriteria
{
    [OneOf("FAILED", "REJECTED", "TIMED_OUT", "ALL")]
    public required string FailureType { get; init; }
    [OneOf("CANCEL")]
    public required string Action { get; init; }
    [Range(double.MinValue, 100)]
    public required double ThresholdPercentage { get; init; }
    [Range(1)]
    public required int MinNumberOfExecutedThings { get; init; }
}

sealed record JobExecutionsRetryConfig
{
    [Length(1, 2)]
    public required IReadOnlyList<RetryCriteria> CriteriaList { get; init; }
}

sealed record RetryCriteria
{
    [OneOf("FAILED", "TIMED_OUT", "ALL")]
    public required string FailureType { get; init; }
    [Range(0, 10)]
    public required int NumberOfRetries { get; init; }
}

sealed record SchedulingConfig
{
    [Length(1, 64)]
    public string? StartTime { get; init; }
    [Length(1, 64)]
    public string? EndTime { get; init; }
    [OneOf("STOP_ROLLOUT", "CANCEL", "FORCE_CANCEL")]
    public string? EndBehavior { get; init; }
    public IReadOnlyList<MaintenanceWindow>? MaintenanceWindows { get; init; }
}

sealed record MaintenanceWindow
{
    [Length(1, 256)]
    public required string StartTime { get; init; }
    [Range(1, 1430)]
    public required int DurationInMinutes { get; init; }
}

sealed record ScheduledJobRollout
{
    public string? StartTime { get; init; }
}
