using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Jobs.Devices;
using Althing.Jobs.Executions;

namespace Althing.Jobs.Control;

/// <summary>Calls an execution off; one in progress only with <c>force</c>, and then its device can report no more.</summary>
[Operation<Iot>("PUT /things/{thingName}/jobs/{jobId}/cancel")]
sealed class CancelJobExecution(ExecutionDesk desk, JobLimits limits) : Operation<CancelJobExecutionRequest, EmptyResponse>
{
    protected override Permission Needs(CancelJobExecutionRequest request, Caller caller) =>
        JobArn.NeedsExecution("iot:CancelJobExecution", request.JobId, request.ThingName, caller);

    protected override async ValueTask<EmptyResponse> Run(CancelJobExecutionRequest request, Caller caller, CancellationToken cancel)
    {
        try
        {
            ExecutionRules.Check(request.StatusDetails, null, limits);
        }
        catch (JobRefusal refusal)
        {
            throw refusal.ToControlException();
        }
        var wish = new CancelWish(request.Force is true, request.ExpectedVersion, request.StatusDetails);
        await desk.AskOverHttp(new CancelRequest(caller.Account, request.ThingName, request.JobId, wish), r => r.ToControlException());
        return EmptyResponse.Instance;
    }
}

sealed record CancelJobExecutionRequest
{
    [Label, Length(1, 64), Pattern(JobArn.IdPattern)]
    public required string JobId { get; init; }
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
    [Query]
    public bool? Force { get; init; }
    public long? ExpectedVersion { get; init; }
    [Each(KeyLengthMin = 1, KeyLengthMax = 128, KeyPattern = "[a-zA-Z0-9:_-]+", LengthMin = 1, Pattern = @"[^\p{C}]+")]
    public IReadOnlyDictionary<string, string>? StatusDetails { get; init; }
}
