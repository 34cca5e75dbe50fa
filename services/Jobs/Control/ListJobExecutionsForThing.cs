using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Jobs.Control;

/// <summary>A thing's executions, job by job.</summary>
[Operation<Iot>("GET /things/{thingName}/jobs")]
sealed class ListJobExecutionsForThing(IRegistry registry, Listing listing) : Operation<ListJobExecutionsForThingRequest, ListJobExecutionsForThingResponse>
{
    protected override Permission Needs(ListJobExecutionsForThingRequest request, Caller caller) =>
        new("iot:ListJobExecutionsForThing", caller.ArnOf("iot", "thing/" + request.ThingName));

    protected override async ValueTask<ListJobExecutionsForThingResponse> Run(ListJobExecutionsForThingRequest request, Caller caller, CancellationToken cancel)
    {
        if (await registry.FindThing(caller.Account, request.ThingName, cancel) is null)
            throw Refuse.ResourceNotFound($"There is no thing '{request.ThingName}'.");
        var scan = Scan.Under(request.JobId is { } job ? Key.Prefix(request.ThingName, job) : Key.Prefix(request.ThingName));
        var name = $"ListJobExecutionsForThing {request.ThingName} {request.JobId} {request.Status} {request.NamespaceId}";
        var page = await listing.ReadWhere(JobExecution.Table, caller, name, scan, e => Fits(e, request), request.NextToken, request.MaxResults, cancel);
        return new()
        {
            ExecutionSummaries = [.. page.Items.Select(e => new JobExecutionSummaryForThing { JobId = e.JobId, JobExecutionSummary = JobExecutionSummary.Of(e) })],
            NextToken = page.Next,
        };
    }

    static bool Fits(JobExecution execution, ListJobExecutionsForThingRequest request) =>
        (request.Status is null || execution.Status.ToString() == request.Status) && (request.NamespaceId is null || execution.NamespaceId == request.NamespaceId);
}

sealed record ListJobExecutionsForThingRequest
{
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
    [Query, OneOf("QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "TIMED_OUT", "REJECTED", "REMOVED", "CANCELED")]
    public string? Status { get; init; }
    [Query, Pattern(JobArn.IdPattern)]
    public string? NamespaceId { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
    [Query]
    public string? NextToken { get; init; }
    [Query, Length(1, 64), Pattern(JobArn.IdPattern)]
    public string? JobId { get; init; }
}

sealed record ListJobExecutionsForThingResponse
{
    public IReadOnlyList<JobExecutionSummaryForThing>? ExecutionSummaries { get; init; }
    public string? NextToken { get; init; }
}

sealed record JobExecutionSummaryForThing
{
    public string? JobId { get; init; }
    public JobExecutionSummary? JobExecutionSummary { get; init; }
}
