using Althing.Api;
using Althing.Commands.Parameters;
using Althing.Core;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Commands.Executions;

/// <summary>Sends a command to one device.</summary>
[Operation<JobsData>("POST /command-executions", Invalid = "ValidationException")]
sealed class StartCommandExecution(CommandStore commands, CommandDesk desk, IRegistry registry, TimeProvider clock)
    : Operation<StartCommandExecutionRequest, StartCommandExecutionResponse>
{
    protected override Permission Needs(StartCommandExecutionRequest request, Caller caller) =>
        new("iot:StartCommandExecution", request.CommandArn, request.TargetArn);

    protected override void Check(StartCommandExecutionRequest request)
    {
        if (request.ExecutionTimeoutSeconds > CommandDesk.TimeoutMax.TotalSeconds)
            throw Refuse.Validation($"'executionTimeoutSeconds' is {request.ExecutionTimeoutSeconds}; {CommandDesk.TimeoutMax.TotalSeconds:0} are the most.");
    }

    protected override async ValueTask<StartCommandExecutionResponse> Run(StartCommandExecutionRequest request, Caller caller, CancellationToken cancel)
    {
        var target = CommandStore.TargetOf(request.TargetArn, caller);
        var row = await commands.Require(caller.Account, CommandStore.CommandOf(request.CommandArn, caller), cancel);
        var command = row.Value;
        if (command.PendingDeletion || command.Deprecated)
            throw Refuse.Conflict($"The command '{command.Id}' is {(command.PendingDeletion ? "being deleted" : "deprecated")}; it is not sent any more.");
        if (command.Namespace == Command.FleetWise)
            throw Refuse.Validation($"The command '{command.Id}' is FleetWise's: what it sends depends on the vehicle's decoder manifest, and vehicles are not served yet.");
        var batch = new Batch().Require(Command.Table, row);
        if (target.StartsWith("thing/", StringComparison.Ordinal) && !await registry.RequireThing(batch, caller.Account, target["thing/".Length..], cancel))
            throw Refuse.ResourceNotFound($"There is no thing '{target["thing/".Length..]}'. Give the ARN of an MQTT client for devices that are not in the registry.");
        var now = clock.GetUtcNow();
        var execution = new CommandExecution
        {
            Account = caller.Account,
            Id = Guid.NewGuid().ToString(),
            Target = target,
            Region = caller.Region,
            CommandId = command.Id,
            Namespace = command.Namespace,
            Status = CommandStatus.CREATED,
            TimeoutSeconds = request.ExecutionTimeoutSeconds ?? (long)CommandDesk.TimeoutDefault.TotalSeconds,
            CreatedAt = now,
            LastUpdatedAt = now,
            Parameters = Values(command, request.Parameters),
        };
        await desk.Start(batch, execution, command, cancel);
        return new() { ExecutionId = execution.Id };
    }

    static IReadOnlyDictionary<string, CommandParameterValue>? Values(Command command, IReadOnlyDictionary<string, CommandParameterValue>? given)
    {
        var values = ParameterRules.Resolve(command.MandatoryParameters ?? [], given);
        return values.Count == 0 && command.PayloadTemplate is null ? null : values;
    }
}

sealed record StartCommandExecutionRequest
{
    [Length(0, 2048)]
    public required string TargetArn { get; init; }
    public required string CommandArn { get; init; }
    [Length(1), Each(KeyLengthMin = 1, KeyLengthMax = 192, KeyPattern = "^[.$a-zA-Z0-9_-]+$")]
    public IReadOnlyDictionary<string, CommandParameterValue>? Parameters { get; init; }
    [Range(1)]
    public long? ExecutionTimeoutSeconds { get; init; }
    [IdempotencyToken, Length(1, 64), Pattern(@"^[\x21-\x7E]+$")]
    public string? ClientToken { get; init; }
}

sealed record StartCommandExecutionResponse
{
    public string? ExecutionId { get; init; }
}
