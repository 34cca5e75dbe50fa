using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Jobs.Executions;

namespace Althing.Jobs.Devices;

/// <summary>An execution that is not over, or with <c>$next</c> the one that is next.</summary>
[Operation<JobsData>("GET /things/{thingName}/jobs/{jobId}")]
sealed class DescribeJobExecution(ExecutionDesk desk, TimeProvider clock) : Operation<DescribeJobExecutionRequest, DescribeJobExecutionResponse>
{
    protected override Permission Needs(DescribeJobExecutionRequest request, Caller caller) =>
        new("iotjobsdata:DescribeJobExecution", caller.ArnOf("iot", $"thing/{request.ThingName}"));

    protected override async ValueTask<DescribeJobExecutionResponse> Run(DescribeJobExecutionRequest request, Caller caller, CancellationToken cancel)
    {
        var job = request.JobId == "$next" ? null : request.JobId;
        var found = await desk.AskOverHttp(
            new DescribeRequest(caller.Account, request.ThingName, job, null, request.ExecutionNumber, request.IncludeJobDocument is not false));
        return new() { Execution = found is Described described ? ExecutionData.Of(described, clock.GetUtcNow()) : null };
    }
}

sealed record DescribeJobExecutionRequest
{
    [Label, Pattern(@"[a-zA-Z0-9_-]+|^\$next")]
    public required string JobId { get; init; }
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
    [Query]
    public bool? IncludeJobDocument { get; init; }
    [Query]
    public long? ExecutionNumber { get; init; }
}

sealed record DescribeJobExecutionResponse
{
    public ExecutionData? Execution { get; init; }
}
