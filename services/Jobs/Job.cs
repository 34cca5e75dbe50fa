using Althing.Storage;

namespace Althing.Jobs;

enum JobStatus { IN_PROGRESS, CANCELED, COMPLETED, DELETION_IN_PROGRESS, SCHEDULED }

/// <summary>A job without its document. Written rarely: what changes with each device stands in <see cref="JobExecution"/> and <see cref="JobTally"/>.</summary>
sealed record Job
{
    public static readonly Table<Job> Table = new("jobs", j => (j.Account, j.Id),
        Index<Job>.On("order", j => j.Order),
        Index<Job>.On("status", j => Key.Of(j.Status.ToString(), j.Order)),
        Index<Job>.On("continuous", j => j is { IsContinuous: true, Status: JobStatus.IN_PROGRESS } ? "" : null),
        new("group", j => from target in j.Targets
                          where target.GroupId is not null
                          from way in new[] { Key.Of("name", target.Name), Key.Of("id", target.GroupId!) }
                          select Key.Of(way, j.Order)));

    public required AccountId Account { get; init; }
    public required string Id { get; init; }

    /// <summary>Tells a job from another one that had its name before.</summary>
    public required string Uid { get; init; }

    /// <summary>The region of the call that created it, for ARNs in messages.</summary>
    public required string Region { get; init; }
    public required IReadOnlyList<JobTarget> Targets { get; init; }
    public required JobStatus Status { get; init; }
    public required bool IsContinuous { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset LastUpdatedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
    public string? Description { get; init; }
    public string? NamespaceId { get; init; }
    public string? DocumentSource { get; init; }
    public PresignedUrlConfig? PresignedUrlConfig { get; init; }
    public TimeoutConfig? TimeoutConfig { get; init; }
    public JobExecutionsRolloutConfig? JobExecutionsRolloutConfig { get; init; }
    public AbortConfig? AbortConfig { get; init; }
    public JobExecutionsRetryConfig? JobExecutionsRetryConfig { get; init; }
    public SchedulingConfig? SchedulingConfig { get; init; }
    public string? JobTemplateArn { get; init; }
    public IReadOnlyDictionary<string, string>? DocumentParameters { get; init; }
    public IReadOnlyList<string>? DestinationPackageVersions { get; init; }
    public string? ReasonCode { get; init; }
    public string? Comment { get; init; }
    public bool ForceCanceled { get; init; }

    /// <summary>Executions are being made, cancelled or deleted (<see cref="JobWork"/>): what AWS calls a concurrent job.</summary>
    public required bool IsConcurrent { get; init; }

    /// <summary>What the request that created it said: the same request again is the same job.</summary>
    public required string Fingerprint { get; init; }

    public bool IsActive => Status is JobStatus.IN_PROGRESS or JobStatus.SCHEDULED;

    string Order => $"{CreatedAt.ToUnixTimeMilliseconds():D15}";

    public static string TagKey(string id) => "iot:job/" + id;
}

/// <summary>A thing, or a group, which has an id here.</summary>
sealed record JobTarget(string Name, string? GroupId)
{
    public string ArnIn(Job job) => $"arn:aws:iot:{job.Region}:{job.Account}:{(GroupId is null ? "thing" : "thinggroup")}/{Name}";
}

/// <summary>What devices shall do, as it was given: written once.</summary>
sealed record JobDocument
{
    public static readonly Table<JobDocument> Table = new("job-documents", d => (d.Account, d.JobId));

    public required AccountId Account { get; init; }
    public required string JobId { get; init; }
    public required string Text { get; init; }

    /// <summary>As the template has it, where parameters were put in.</summary>
    public string? Template { get; init; }
}

/// <summary>
/// How many executions of a job are in which state, of those things that one lane of <see cref="Executions.ExecutionDesk"/> deals with. Written
/// in the commit that changes an execution, so it cannot drift; the job's numbers are the sum of its rows.
/// </summary>
sealed record JobTally
{
    public static readonly Table<JobTally> Table = new("job-tallies", t => (t.Account, KeyOf(t.JobId, t.Lane)));

    public required AccountId Account { get; init; }
    public required string JobId { get; init; }
    public required int Lane { get; init; }

    /// <summary>By state.</summary>
    public required IReadOnlyDictionary<ExecutionStatus, long> Counts { get; init; }

    public static string KeyOf(string job, int lane) => Key.Of(job, lane.ToString("D3", System.Globalization.CultureInfo.InvariantCulture));
}

enum JobWorkKind { Unroll, Cancel, Delete }

/// <summary>What is still to be done to many executions of a job; done in the background, and gone when it is done.</summary>
sealed record JobWork
{
    public static readonly Table<JobWork> Table = new("job-work", w => (w.Account, w.JobId));

    public required AccountId Account { get; init; }
    public required string JobId { get; init; }
    public required JobWorkKind Kind { get; init; }

    /// <summary>For <see cref="JobWorkKind.Unroll"/>: the targets whose things have not all got an execution.</summary>
    public IReadOnlyList<JobTarget> Targets { get; init; } = [];

    /// <summary>For <see cref="JobWorkKind.Cancel"/>: also executions in progress.</summary>
    public bool Force { get; init; }
}
