using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Jobs.Devices;
using Althing.Jobs.Executions;

namespace Althing.Jobs.Control;

/// <summary>An execution, over or not; the latest one when no number is given.</summary>
[Operation<Iot>("GET /things/{thingName}/jobs/{jobId}")]
sealed class DescribeJobExecution(JobStore jobs, TimeProvider clock) : Operation<DescribeJobExecutionRequest, DescribeJobExecutionResponse>
{
    protected override Permission Needs(DescribeJobExecutionRequest request, Caller caller) =>
        JobArn.NeedsExecution("iot:DescribeJobExecution", request.JobId, request.ThingName, caller);

    protected override async ValueTask<DescribeJobExecutionResponse> Run(DescribeJobExecutionRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await jobs.FindExecution(caller.Account, request.ThingName, request.JobId, request.ExecutionNumber, cancel)
            ?? throw JobRefusal.NoExecution(request.ThingName, request.JobId, request.ExecutionNumber).ToControlException();
        return new() { Execution = ExecutionDescription.Of(row.Value, caller, clock.GetUtcNow()) };
    }
}

sealed record DescribeJobExecutionRequest
{
    [Label, Length(1, 64), Pattern(JobArn.IdPattern)]
    public required string JobId { get; init; }
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
    [Query]
    public long? ExecutionNumber { get; init; }
}

sealed record DescribeJobExecutionResponse
{
    public ExecutionDescription? Execution { get; init; }
}

sealed record ExecutionDescription
{
    public string? JobId { get; init; }
    public string? Status { get; init; }
    public bool? ForceCanceled { get; init; }
    public ExecutionStatusDetails? StatusDetails { get; init; }
    public string? ThingArn { get; init; }
    public DateTimeOffset? QueuedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? LastUpdatedAt { get; init; }
    public long? ExecutionNumber { get; init; }
    public long? VersionNumber { get; init; }
    public long? ApproximateSecondsBeforeTimedOut { get; init; }

    public static ExecutionDescription Of(JobExecution execution, Caller caller, DateTimeOffset now) => new()
    {
        JobId = execution.JobId,
        Status = execution.Status.ToString(),
        ForceCanceled = execution.ForceCanceled ? true : null,
        StatusDetails = new() { DetailsMap = execution.StatusDetails ?? new Dictionary<string, string>() },
        ThingArn = caller.ArnOf("iot", "thing/" + execution.ThingName),
        QueuedAt = execution.QueuedAt,
        StartedAt = execution.StartedAt,
        LastUpdatedAt = execution.LastUpdatedAt,
        ExecutionNumber = execution.Number,
        VersionNumber = execution.Version,
        ApproximateSecondsBeforeTimedOut = ExecutionData.SecondsLeft(execution, now),
    };
}

sealed record ExecutionStatusDetails
{
    public IReadOnlyDictionary<string, string>? DetailsMap { get; init; }
}
