using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Jobs.Devices;
using Althing.Jobs.Executions;

namespace Althing.Jobs.Control;

/// <summary>Deletes an execution that is over, or with <c>force</c> any.</summary>
[Operation<Iot>("DELETE /things/{thingName}/jobs/{jobId}/executionNumber/{executionNumber}")]
sealed class DeleteJobExecution(ExecutionDesk desk, JobStore jobs) : Operation<DeleteJobExecutionRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteJobExecutionRequest request, Caller caller) =>
        JobArn.NeedsExecution("iot:DeleteJobExecution", request.JobId, request.ThingName, caller);

    protected override async ValueTask<EmptyResponse> Run(DeleteJobExecutionRequest request, Caller caller, CancellationToken cancel)
    {
        JobConfigs.CheckNamespace((await jobs.Require(caller.Account, request.JobId, cancel)).Value, request.NamespaceId);
        await desk.AskOverHttp(
            new DeleteRequest(caller.Account, request.ThingName, request.JobId, request.ExecutionNumber, request.Force is true), r => r.ToControlException());
        return EmptyResponse.Instance;
    }
}

sealed record DeleteJobExecutionRequest
{
    [Label, Length(1, 64), Pattern(JobArn.IdPattern)]
    public required string JobId { get; init; }
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
    [Label]
    public required long ExecutionNumber { get; init; }
    [Query]
    public bool? Force { get; init; }
    [Query, Pattern(JobArn.IdPattern)]
    public string? NamespaceId { get; init; }
}
