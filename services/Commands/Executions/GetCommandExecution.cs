using Althing.Api;
using Althing.Commands.Parameters;
using Althing.Core;
using Althing.Identity;

namespace Althing.Commands.Executions;

/// <summary>What became of a command that was sent.</summary>
[Operation<Iot>("GET /command-executions/{executionId}", Invalid = "ValidationException")]
sealed class GetCommandExecution(CommandStore commands) : Operation<GetCommandExecutionRequest, GetCommandExecutionResponse>
{
    protected override Permission Needs(GetCommandExecutionRequest request, Caller caller) => new("iot:GetCommandExecution", request.TargetArn);

    protected override async ValueTask<GetCommandExecutionResponse> Run(GetCommandExecutionRequest request, Caller caller, CancellationToken cancel)
    {
        var target = CommandStore.TargetOf(request.TargetArn, caller);
        var execution = (await commands.RequireExecution(caller.Account, target, request.ExecutionId, cancel)).Value;
        return new()
        {
            ExecutionId = execution.Id,
            CommandArn = caller.ArnOf("iot", "command/" + execution.CommandId),
            TargetArn = caller.ArnOf("iot", execution.Target),
            Status = execution.Status.ToString(),
            StatusReason = execution.Reason,
            Result = request.IncludeResult is true ? execution.Result : null,
            Parameters = execution.Parameters is { Count: > 0 } parameters ? parameters : null,
            ExecutionTimeoutSeconds = execution.TimeoutSeconds,
            CreatedAt = execution.CreatedAt,
            LastUpdatedAt = execution.LastUpdatedAt,
            StartedAt = execution.StartedAt,
            CompletedAt = execution.CompletedAt,
            TimeToLive = execution.CreatedAt + CommandExecution.KeptFor,
        };
    }
}

sealed record GetCommandExecutionRequest
{
    [Label, Length(1, 64), Pattern(CommandStore.IdPattern)]
    public required string ExecutionId { get; init; }
    [Query, Length(0, 2048)]
    public required string TargetArn { get; init; }
    [Query]
    public bool? IncludeResult { get; init; }
}

sealed record GetCommandExecutionResponse
{
    public string? ExecutionId { get; init; }
    public string? CommandArn { get; init; }
    public string? TargetArn { get; init; }
    public string? Status { get; init; }
    public StatusReason? StatusReason { get; init; }
    public IReadOnlyDictionary<string, CommandExecutionResult>? Result { get; init; }
    public IReadOnlyDictionary<string, CommandParameterValue>? Parameters { get; init; }
    public long? ExecutionTimeoutSeconds { get; init; }
    public DateTimeOffset? CreatedAt { get; init; }
    public DateTimeOffset? LastUpdatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
    public DateTimeOffset? TimeToLive { get; init; }
}
