using Althing.Api;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Commands.Control;

/// <summary>Changes what a command is called, and whether it may still be sent.</summary>
[Operation<Iot>("PATCH /commands/{commandId}", Invalid = "ValidationException")]
sealed class UpdateCommand(IStore store, CommandStore commands, TimeProvider clock) : Operation<UpdateCommandRequest, UpdateCommandResponse>
{
    protected override Permission Needs(UpdateCommandRequest request, Caller caller) => new("iot:UpdateCommand", caller.ArnOf("iot", "command/" + request.CommandId));

    protected override async ValueTask<UpdateCommandResponse> Run(UpdateCommandRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await commands.Require(caller.Account, request.CommandId, cancel);
        if (row.Value.PendingDeletion)
            throw Refuse.Conflict($"The command '{request.CommandId}' is being deleted.");
        var (now, deprecated) = (clock.GetUtcNow(), request.Deprecated ?? row.Value.Deprecated);
        var changed = row.Value with
        {
            DisplayName = request.DisplayName ?? row.Value.DisplayName,
            Description = request.Description ?? row.Value.Description,
            Deprecated = deprecated,
            DeprecatedAt = deprecated ? row.Value.DeprecatedAt ?? now : null,
            LastUpdatedAt = now,
        };
        await store.Commit(new Batch().Replace(Command.Table, row, changed), cancel);
        return new()
        {
            CommandId = changed.Id,
            DisplayName = changed.DisplayName,
            Description = changed.Description,
            Deprecated = changed.Deprecated,
            LastUpdatedAt = changed.LastUpdatedAt,
        };
    }
}

sealed record UpdateCommandRequest
{
    [Label, Length(1, 64), Pattern(CommandStore.IdPattern)]
    public required string CommandId { get; init; }
    [Length(0, 64), Pattern(CommandStore.TextPattern)]
    public string? DisplayName { get; init; }
    [Length(0, 2028), Pattern(CommandStore.TextPattern)]
    public string? Description { get; init; }
    public bool? Deprecated { get; init; }
}

sealed record UpdateCommandResponse
{
    public string? CommandId { get; init; }
    public string? DisplayName { get; init; }
    public string? Description { get; init; }
    public bool? Deprecated { get; init; }
    public DateTimeOffset? LastUpdatedAt { get; init; }
}
