using System.Security.Cryptography;
using System.Text.Json;
using Althing.Api;
using Althing.Commands.Parameters;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Commands.Control;

/// <summary>Creates a command. The same request again answers the same; another one of the same id is refused.</summary>
[Operation<Iot>("PUT /commands/{commandId}", Invalid = "ValidationException")]
sealed class CreateCommand(IStore store, TagStore tags, TimeProvider clock) : Operation<CreateCommandRequest, CreateCommandResponse>
{
    /// <summary>Service quota: bytes of a payload, and of a template.</summary>
    const int PayloadBytesMax = 32 * 1024;

    protected override Permission Needs(CreateCommandRequest request, Caller caller) =>
        new("iot:CreateCommand", caller.ArnOf("iot", "command/" + request.CommandId)) { And = request.RoleArn is { } role ? new("iam:PassRole", role) : null };

    protected override void Check(CreateCommandRequest request)
    {
        var parameters = request.MandatoryParameters ?? [];
        ParameterRules.Check(parameters);
        if (request.Namespace == Command.FleetWise)
        {
            if (request is not { Payload: null, PayloadTemplate: null, Preprocessor: null })
                throw Refuse.Validation($"A command of the namespace {Command.FleetWise} has 'mandatoryParameters' and no payload.");
            if (parameters.Count == 0 || request.RoleArn is null)
                throw Refuse.Validation($"A command of the namespace {Command.FleetWise} needs 'mandatoryParameters' and 'roleArn'.");
            return;
        }
        if ((request.Payload is null) == (request.PayloadTemplate is null))
            throw Refuse.Validation("Give either 'payload' or 'payloadTemplate'.");
        if (request.Payload is { } payload)
            CheckPayload(payload, request);
        else
            CheckTemplate(request, parameters);
    }

    static void CheckPayload(CommandPayload payload, CreateCommandRequest request)
    {
        if (payload.Content is not { Length: > 0 and <= PayloadBytesMax })
            throw Refuse.Validation($"'payload.content' has {payload.Content?.Length ?? 0} bytes; 1 to {PayloadBytesMax} are allowed.");
        if (request is not { Preprocessor: null, MandatoryParameters: null })
            throw Refuse.Validation("'preprocessor' and 'mandatoryParameters' belong to a 'payloadTemplate'.");
    }

    static void CheckTemplate(CreateCommandRequest request, IReadOnlyList<CommandParameter> parameters)
    {
        if (request.Preprocessor?.AwsJsonSubstitution is null)
            throw Refuse.Validation("A 'payloadTemplate' needs 'preprocessor.awsJsonSubstitution', which says what comes of it.");
        PayloadTemplate.Check(request.PayloadTemplate!, parameters);
    }

    protected override async ValueTask<CreateCommandResponse> Run(CreateCommandRequest request, Caller caller, CancellationToken cancel)
    {
        var fingerprint = Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(request, WireJson.CamelCase)));
        var answer = new CreateCommandResponse { CommandId = request.CommandId, CommandArn = caller.ArnOf("iot", "command/" + request.CommandId) };
        if (await store.Get(Command.Table, caller.Account, request.CommandId, cancel) is { Value: var there })
        {
            return there.Fingerprint == fingerprint && !there.PendingDeletion
                ? answer
                : throw Refuse.Conflict($"There is a command '{request.CommandId}' already, and it is another one. Give this one another id.");
        }
        var batch = new Batch().Add(Command.Table, Make(request, caller, fingerprint));
        await tags.AddTags(batch, caller.Account, Command.TagKey(request.CommandId), request.Tags, cancel);
        await store.Commit(batch, cancel);
        return answer;
    }

    Command Make(CreateCommandRequest request, Caller caller, string fingerprint)
    {
        var now = clock.GetUtcNow();
        return new()
        {
            Account = caller.Account,
            Id = request.CommandId,
            Region = caller.Region,
            Namespace = request.Namespace ?? Command.NamespaceDefault,
            CreatedAt = now,
            LastUpdatedAt = now,
            DisplayName = request.DisplayName,
            Description = request.Description,
            Payload = request.Payload,
            PayloadTemplate = request.PayloadTemplate,
            Preprocessor = request.Preprocessor,
            MandatoryParameters = request.MandatoryParameters,
            RoleArn = request.RoleArn,
            Fingerprint = fingerprint,
        };
    }
}

sealed record CreateCommandRequest
{
    [Label, Length(1, 64), Pattern(CommandStore.IdPattern)]
    public required string CommandId { get; init; }
    [OneOf("AWS-IoT", "AWS-IoT-FleetWise")]
    public string? Namespace { get; init; }
    [Length(0, 64), Pattern(CommandStore.TextPattern)]
    public string? DisplayName { get; init; }
    [Length(0, 2028), Pattern(CommandStore.TextPattern)]
    public string? Description { get; init; }
    public CommandPayload? Payload { get; init; }
    [Length(0, 32768)]
    public string? PayloadTemplate { get; init; }
    public CommandPreprocessor? Preprocessor { get; init; }
    [Length(1)]
    public IReadOnlyList<CommandParameter>? MandatoryParameters { get; init; }
    [Length(20, 2048)]
    public string? RoleArn { get; init; }
    public IReadOnlyList<Tag>? Tags { get; init; }
}

sealed record CreateCommandResponse
{
    public string? CommandId { get; init; }
    public string? CommandArn { get; init; }
}
