using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Jobs.Executions;

namespace Althing.Jobs.Devices;

/// <summary>Takes up the execution that is next; no execution in the answer when nothing is pending.</summary>
[Operation<JobsData>("PUT /things/{thingName}/jobs/$next")]
sealed class StartNextPendingJobExecution(ExecutionDesk desk, TimeProvider clock) : Operation<StartNextPendingJobExecutionRequest, StartNextPendingJobExecutionResponse>
{
    protected override Permission Needs(StartNextPendingJobExecutionRequest request, Caller caller) =>
        new("iotjobsdata:StartNextPendingJobExecution", caller.ArnOf("iot", $"thing/{request.ThingName}"));

    protected override async ValueTask<StartNextPendingJobExecutionResponse> Run(
        StartNextPendingJobExecutionRequest request, Caller caller, CancellationToken cancel)
    {
        var started = await desk.AskOverHttp(new StartNextRequest(caller.Account, request.ThingName, request.StatusDetails, request.StepTimeoutInMinutes));
        return new() { Execution = started is Described described ? ExecutionData.Of(described, clock.GetUtcNow()) : null };
    }
}

sealed record StartNextPendingJobExecutionRequest
{
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
    [Each(KeyLengthMin = 1, KeyLengthMax = 128, KeyPattern = "[a-zA-Z0-9:_-]+", LengthMin = 1, Pattern = @"[^\p{C}]+")]
    public IReadOnlyDictionary<string, string>? StatusDetails { get; init; }
    public long? StepTimeoutInMinutes { get; init; }
}

sealed record StartNextPendingJobExecutionResponse
{
    public ExecutionData? Execution { get; init; }
}
