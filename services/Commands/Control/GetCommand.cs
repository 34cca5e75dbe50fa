using Althing.Api;
using Althing.Commands.Parameters;
using Althing.Core;
using Althing.Identity;

namespace Althing.Commands.Control;

/// <summary>A command with its payload.</summary>
[Operation<Iot>("GET /commands/{commandId}", Invalid = "ValidationException")]
sealed class GetCommand(CommandStore commands) : Operation<GetCommandRequest, GetCommandResponse>
{
    protected override Permission Needs(GetCommandRequest request, Caller caller) => new("iot:GetCommand", caller.ArnOf("iot", "command/" + request.CommandId));

    protected override async ValueTask<GetCommandResponse> Run(GetCommandRequest request, Caller caller, CancellationToken cancel)
    {
        var command = (await commands.Require(caller.Account, request.CommandId, cancel)).Value;
        return new()
        {
            CommandId = command.Id,
            CommandArn = caller.ArnOf("iot", "command/" + command.Id),
            Namespace = command.Namespace,
            DisplayName = command.DisplayName,
            Description = command.Description,
            MandatoryParameters = command.MandatoryParameters,
            Payload = command.Payload,
            PayloadTemplate = command.PayloadTemplate,
            Preprocessor = command.Preprocessor,
            RoleArn = command.RoleArn,
            CreatedAt = command.CreatedAt,
            LastUpdatedAt = command.LastUpdatedAt,
            Deprecated = command.Deprecated,
            PendingDeletion = command.PendingDeletion,
        };
    }
}

sealed record GetCommandRequest
{
    [Label, Length(1, 64), Pattern(CommandStore.IdPattern)]
    public required string CommandId { get; init; }
}

sealed record GetCommandResponse
{
    public string? CommandId { get; init; }
    public string? CommandArn { get; init; }
    public string? Namespace { get; init; }
    public string? DisplayName { get; init; }
    public string? Description { get; init; }
    public IReadOnlyList<CommandParameter>? MandatoryParameters { get; init; }
    public CommandPayload? Payload { get; init; }
    public string? PayloadTemplate { get; init; }
    public CommandPreprocessor? Preprocessor { get; init; }
    public string? RoleArn { get; init; }
    public DateTimeOffset? CreatedAt { get; init; }
    public DateTimeOffset? LastUpdatedAt { get; init; }
    public bool? Deprecated { get; init; }
    public bool? PendingDeletion { get; init; }
}
