using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Jobs.Executions;

namespace Althing.Jobs.Devices;

/// <summary>A device's report on an execution.</summary>
[Operation<JobsData>("POST /things/{thingName}/jobs/{jobId}")]
sealed class UpdateJobExecution(ExecutionDesk desk) : Operation<UpdateJobExecutionRequest, UpdateJobExecutionResponse>
{
    protected override Permission Needs(UpdateJobExecutionRequest request, Caller caller) =>
        new("iotjobsdata:UpdateJobExecution", caller.ArnOf("iot", $"thing/{request.ThingName}"));

    protected override async ValueTask<UpdateJobExecutionResponse> Run(UpdateJobExecutionRequest request, Caller caller, CancellationToken cancel)
    {
        var report = new DeviceReport(Enum.Parse<ExecutionStatus>(request.Status), request.StatusDetails, request.StepTimeoutInMinutes, request.ExpectedVersion);
        var reported = (Reported)(await desk.AskOverHttp(new ReportRequest(
            caller.Account, request.ThingName, request.JobId, null, request.ExecutionNumber, report, request.IncludeJobDocument is true)))!;
        return new()
        {
            ExecutionState = request.IncludeJobExecutionState is true ? ExecutionState.Of(reported.Execution) : null,
            JobDocument = reported.Document,
        };
    }
}

sealed record UpdateJobExecutionRequest
{
    [Label, Length(1, 64), Pattern("[a-zA-Z0-9_-]+")]
    public required string JobId { get; init; }
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
    [OneOf("QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "TIMED_OUT", "REJECTED", "REMOVED", "CANCELED")]
    public required string Status { get; init; }
    [Each(KeyLengthMin = 1, KeyLengthMax = 128, KeyPattern = "[a-zA-Z0-9:_-]+", LengthMin = 1, Pattern = @"[^\p{C}]+")]
    public IReadOnlyDictionary<string, string>? StatusDetails { get; init; }
    public long? StepTimeoutInMinutes { get; init; }
    public long? ExpectedVersion { get; init; }
    public bool? IncludeJobExecutionState { get; init; }
    public bool? IncludeJobDocument { get; init; }
    public long? ExecutionNumber { get; init; }
}

sealed record UpdateJobExecutionResponse
{
    public ExecutionState? ExecutionState { get; init; }
    public string? JobDocument { get; init; }
}
