using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Commands.Executions;

/// <summary>Forgets an execution that is over.</summary>
[Operation<Iot>("DELETE /command-executions/{executionId}", Invalid = "ValidationException")]
sealed class DeleteCommandExecution(IStore store) : Operation<DeleteCommandExecutionRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteCommandExecutionRequest request, Caller caller) => new("iot:DeleteCommandExecution", request.TargetArn);

    protected override async ValueTask<EmptyResponse> Run(DeleteCommandExecutionRequest request, Caller caller, CancellationToken cancel)
    {
        var key = CommandExecution.KeyOf(CommandStore.TargetOf(request.TargetArn, caller), request.ExecutionId);
        if (await store.Get(CommandExecution.Table, caller.Account, key, cancel) is not { } row)
            return EmptyResponse.Instance;
        if (row.Value.Status is CommandStatus.CREATED or CommandStatus.IN_PROGRESS)
            throw Refuse.Conflict($"The execution '{request.ExecutionId}' is under way: {row.Value.Status}. Wait until it is over or has timed out.");
        var batch = new Batch().Delete(CommandExecution.Table, row);
        CommandTimer.Follow(batch, row.Value, null);
        await store.Commit(batch, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record DeleteCommandExecutionRequest
{
    [Label, Length(1, 64), Pattern(CommandStore.IdPattern)]
    public required string ExecutionId { get; init; }
    [Query, Length(0, 2048)]
    public required string TargetArn { get; init; }
}
