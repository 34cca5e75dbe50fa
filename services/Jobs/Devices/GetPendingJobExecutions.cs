using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Jobs.Executions;

namespace Althing.Jobs.Devices;

/// <summary>A thing's executions that are not over, the next one first.</summary>
[Operation<JobsData>("GET /things/{thingName}/jobs")]
sealed class GetPendingJobExecutions(ExecutionDesk desk) : Operation<GetPendingJobExecutionsRequest, GetPendingJobExecutionsResponse>
{
    protected override Permission Needs(GetPendingJobExecutionsRequest request, Caller caller) =>
        new("iotjobsdata:GetPendingJobExecutions", caller.ArnOf("iot", $"thing/{request.ThingName}"));

    protected override async ValueTask<GetPendingJobExecutionsResponse> Run(GetPendingJobExecutionsRequest request, Caller caller, CancellationToken cancel)
    {
        var (inProgress, queued) = PendingLists.Of(await desk.AskOverHttp(new PendingRequest(caller.Account, request.ThingName)));
        return new() { InProgressJobs = inProgress, QueuedJobs = queued };
    }
}

sealed record GetPendingJobExecutionsRequest
{
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
}

sealed record GetPendingJobExecutionsResponse
{
    public IReadOnlyList<ExecutionSummary>? InProgressJobs { get; init; }
    public IReadOnlyList<ExecutionSummary>? QueuedJobs { get; init; }
}
