using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Jobs.Control;

/// <summary>A job's executions by thing, or only those in one state.</summary>
[Operation<Iot>("GET /jobs/{jobId}/things")]
sealed class ListJobExecutionsForJob(JobStore jobs, Listing listing) : Operation<ListJobExecutionsForJobRequest, ListJobExecutionsForJobResponse>
{
    protected override Permission Needs(ListJobExecutionsForJobRequest request, Caller caller) => new("iot:ListJobExecutionsForJob", JobArn.Of(request.JobId, caller));

    protected override async ValueTask<ListJobExecutionsForJobResponse> Run(ListJobExecutionsForJobRequest request, Caller caller, CancellationToken cancel)
    {
        await jobs.Require(caller.Account, request.JobId, cancel);
        // By state, an execution that another one has followed is in no list; it is among all, and among its thing's.
        var scan = request.Status is { } status ? Scan.By("status", Key.Of(request.JobId, status)) : Scan.By("job", request.JobId);
        var name = $"ListJobExecutionsForJob {request.JobId} {request.Status}";
        var page = await listing.Read(JobExecution.Table, caller, name, scan, request.NextToken, request.MaxResults, cancel);
        return new()
        {
            ExecutionSummaries =
            [
                .. from execution in page.Items
                   select new JobExecutionSummaryForJob
                   {
                       ThingArn = caller.ArnOf("iot", "thing/" + execution.ThingName),
                       JobExecutionSummary = JobExecutionSummary.Of(execution),
                   },
            ],
            NextToken = page.Next,
        };
    }
}

sealed record ListJobExecutionsForJobRequest
{
    [Label, Length(1, 64), Pattern(JobArn.IdPattern)]
    public required string JobId { get; init; }
    [Query, OneOf("QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "TIMED_OUT", "REJECTED", "REMOVED", "CANCELED")]
    public string? Status { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
    [Query]
    public string? NextToken { get; init; }
}

sealed record ListJobExecutionsForJobResponse
{
    public IReadOnlyList<JobExecutionSummaryForJob>? ExecutionSummaries { get; init; }
    public string? NextToken { get; init; }
}

sealed record JobExecutionSummaryForJob
{
    public string? ThingArn { get; init; }
    public JobExecutionSummary? JobExecutionSummary { get; init; }
}

sealed record JobExecutionSummary
{
    public string? Status { get; init; }
    public DateTimeOffset? QueuedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? LastUpdatedAt { get; init; }
    public long? ExecutionNumber { get; init; }
    public int? RetryAttempt { get; init; }

    public static JobExecutionSummary Of(JobExecution execution) => new()
    {
        Status = execution.Status.ToString(),
        QueuedAt = execution.QueuedAt,
        StartedAt = execution.StartedAt,
        LastUpdatedAt = execution.LastUpdatedAt,
        ExecutionNumber = execution.Number,
        RetryAttempt = execution.RetryAttempt,
    };
}
