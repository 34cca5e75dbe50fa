using Althing.Api;
using Althing.Commands.Executions;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Commands.Control;

/// <summary>
/// Deletes a command: at once (204) when no execution of it can be under way any more, else later (202). Executions stay until their time is over.
/// </summary>
[Operation<Iot>("DELETE /commands/{commandId}", Invalid = "ValidationException")]
sealed class DeleteCommand(IStore store, CommandTimes times, TimeProvider clock) : Operation<DeleteCommandRequest, DeleteCommandResponse>
{
    protected override Permission Needs(DeleteCommandRequest request, Caller caller) => new("iot:DeleteCommand", caller.ArnOf("iot", "command/" + request.CommandId));

    protected override async ValueTask<DeleteCommandResponse> Run(DeleteCommandRequest request, Caller caller, CancellationToken cancel)
    {
        if (await store.Get(Command.Table, caller.Account, request.CommandId, cancel) is not { } row)
            return new() { StatusCode = 204 };
        var now = clock.GetUtcNow();
        var latest = await store.Scan(CommandExecution.Table, caller.Account,
            new() { Index = "command", Prefix = Key.Prefix(row.Value.Id), Descending = true, Limit = 1 }, cancel);
        if (latest is [{ Value: { IsOver: false } execution }] && execution.CreatedAt + CommandDesk.TimeoutMax > now)
        {
            var at = execution.CreatedAt + CommandDesk.TimeoutMax;
            var doomed = row.Value with { PendingDeletion = true, Deprecated = true, DeprecatedAt = row.Value.DeprecatedAt ?? now, LastUpdatedAt = now };
            await store.Commit(new Batch().Replace(Command.Table, row, doomed).Put(CommandTimer.Table, CommandTimes.Doom(caller.Account, row.Value.Id, at)), cancel);
            times.Note(at);
            return new() { StatusCode = 202 };
        }
        var batch = new Batch().Delete(Command.Table, row);
        TagStore.Forget(batch, caller.Account, Command.TagKey(row.Value.Id));
        await store.Commit(batch, cancel);
        return new() { StatusCode = 204 };
    }
}

sealed record DeleteCommandRequest
{
    [Label, Length(1, 64), Pattern(CommandStore.IdPattern)]
    public required string CommandId { get; init; }
}

sealed record DeleteCommandResponse
{
    [StatusCode]
    public int? StatusCode { get; init; }
}
