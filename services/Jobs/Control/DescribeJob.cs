using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Jobs.Control;

/// <summary>A job and how far it is.</summary>
[Operation<Iot>("GET /jobs/{jobId}")]
sealed class DescribeJob(IStore store, JobStore jobs) : Operation<DescribeJobRequest, DescribeJobResponse>
{
    protected override Permission Needs(DescribeJobRequest request, Caller caller) => new("iot:DescribeJob", JobArn.Of(request.JobId, caller));

    protected override async ValueTask<DescribeJobResponse> Run(DescribeJobRequest request, Caller caller, CancellationToken cancel)
    {
        var job = (await jobs.Require(caller.Account, request.JobId, cancel)).Value;
        var work = await store.Get(JobWork.Table, caller.Account, job.Id, cancel);
        var tally = await jobs.TallyOf(caller.Account, job.Id, cancel);
        return new() { DocumentSource = job.DocumentSource, Job = JobDescription.Of(job, work?.Value, tally, caller) };
    }
}

sealed record DescribeJobRequest
{
    [Label, Length(1, 64), Pattern(JobArn.IdPattern)]
    public required string JobId { get; init; }

    /// <summary>Nothing in a job's description is substituted; see GetJobDocument.</summary>
    [Query]
    public bool? BeforeSubstitution { get; init; }
}

sealed record DescribeJobResponse
{
    public string? DocumentSource { get; init; }
    public JobDescription? Job { get; init; }
}

sealed record JobDescription
{
    public string? JobArn { get; init; }
    public string? JobId { get; init; }
    public string? TargetSelection { get; init; }
    public string? Status { get; init; }
    public bool? ForceCanceled { get; init; }
    public string? ReasonCode { get; init; }
    public string? Comment { get; init; }
    public IReadOnlyList<string>? Targets { get; init; }
    public string? Description { get; init; }
    public PresignedUrlConfig? PresignedUrlConfig { get; init; }
    public JobExecutionsRolloutConfig? JobExecutionsRolloutConfig { get; init; }
    public AbortConfig? AbortConfig { get; init; }
    public DateTimeOffset? CreatedAt { get; init; }
    public DateTimeOffset? LastUpdatedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
    public JobProcessDetails? JobProcessDetails { get; init; }
    public TimeoutConfig? TimeoutConfig { get; init; }
    public string? NamespaceId { get; init; }
    public string? JobTemplateArn { get; init; }
    public JobExecutionsRetryConfig? JobExecutionsRetryConfig { get; init; }
    public IReadOnlyDictionary<string, string>? DocumentParameters { get; init; }
    public bool? IsConcurrent { get; init; }
    public SchedulingConfig? SchedulingConfig { get; init; }
    public IReadOnlyList<ScheduledJobRollout>? ScheduledJobRollouts { get; init; }
    public IReadOnlyList<string>? DestinationPackageVersions { get; init; }

    public static JobDescription Of(Job job, JobWork? work, Tally tally, Caller caller) => new()
    {
        JobArn = JobArnOf(job, caller),
        JobId = job.Id,
        TargetSelection = job.IsContinuous ? "CONTINUOUS" : "SNAPSHOT",
        Status = job.Status.ToString(),
        ForceCanceled = job.ForceCanceled ? true : null,
        ReasonCode = job.ReasonCode,
        Comment = job.Comment,
        Targets = [.. job.Targets.Select(t => TargetArn(t, caller))],
        Description = job.Description,
        PresignedUrlConfig = job.PresignedUrlConfig,
        JobExecutionsRolloutConfig = job.JobExecutionsRolloutConfig,
        AbortConfig = job.AbortConfig,
        CreatedAt = job.CreatedAt,
        LastUpdatedAt = job.LastUpdatedAt,
        CompletedAt = job.CompletedAt,
        JobProcessDetails = JobProcessDetails.Of(tally, [.. (work?.Targets ?? []).Select(t => TargetArn(t, caller))]),
        TimeoutConfig = job.TimeoutConfig,
        NamespaceId = job.NamespaceId,
        JobTemplateArn = job.JobTemplateArn,
        JobExecutionsRetryConfig = job.JobExecutionsRetryConfig,
        DocumentParameters = job.DocumentParameters,
        IsConcurrent = job.IsConcurrent,
        SchedulingConfig = job.SchedulingConfig,
        DestinationPackageVersions = job.DestinationPackageVersions,
    };

    static string JobArnOf(Job job, Caller caller) => Control.JobArn.Of(job.Id, caller);

    static string TargetArn(JobTarget target, Caller caller) => caller.ArnOf("iot", (target.GroupId is null ? "thing/" : "thinggroup/") + target.Name);
}

/// <summary>A thing counts once, with its latest execution.</summary>
sealed record JobProcessDetails
{
    public IReadOnlyList<string>? ProcessingTargets { get; init; }
    public int? NumberOfCanceledThings { get; init; }
    public int? NumberOfSucceededThings { get; init; }
    public int? NumberOfFailedThings { get; init; }
    public int? NumberOfRejectedThings { get; init; }
    public int? NumberOfQueuedThings { get; init; }
    public int? NumberOfInProgressThings { get; init; }
    public int? NumberOfRemovedThings { get; init; }
    public int? NumberOfTimedOutThings { get; init; }

    public static JobProcessDetails Of(Tally tally, IReadOnlyList<string> processing) => new()
    {
        ProcessingTargets = processing.Count > 0 ? processing : null,
        NumberOfCanceledThings = (int)tally[ExecutionStatus.CANCELED],
        NumberOfSucceededThings = (int)tally[ExecutionStatus.SUCCEEDED],
        NumberOfFailedThings = (int)tally[ExecutionStatus.FAILED],
        NumberOfRejectedThings = (int)tally[ExecutionStatus.REJECTED],
        NumberOfQueuedThings = (int)tally[ExecutionStatus.QUEUED],
        NumberOfInProgressThings = (int)tally[ExecutionStatus.IN_PROGRESS],
        NumberOfRemovedThings = (int)tally[ExecutionStatus.REMOVED],
        NumberOfTimedOutThings = (int)tally[ExecutionStatus.TIMED_OUT],
    };
}
