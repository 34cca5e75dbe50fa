using Althing.Broker;
using Althing.Commands.Parameters;
using Althing.Core;
using Althing.Storage;

namespace Althing.Commands.Executions;

/// <summary>Sends commands, takes what devices say of them, and tells whoever listens.</summary>
sealed class CommandDesk(IStore store, MqttBroker broker, IEventMessages messages, TimeProvider clock)
{
    /// <summary>How long an execution may take: what is meant when nobody says, and the most ("Command execution", timeout).</summary>
    public static readonly TimeSpan TimeoutDefault = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan TimeoutMax = TimeSpan.FromHours(12);

    /// <summary>What the platform gives as the reason when a device did not answer in time.</summary>
    const string NoResponse = "$NO_RESPONSE_FROM_DEVICE";

    const int AttemptsMax = 20;

    /// <summary>Something is due then. Handlers must only note it.</summary>
    public event Action<DateTimeOffset>? TimerSet;

    /// <summary>Keeps a new execution, and sends it: on disk before it goes, so that an answer always meets it.</summary>
    public async ValueTask Start(Batch batch, CommandExecution execution, Command command, CancellationToken cancel)
    {
        batch.Add(CommandExecution.Table, execution);
        CommandTimer.Follow(batch, null, execution);
        await store.Commit(batch, cancel);
        TimerSet?.Invoke(execution.DueAt);
        await broker.Publish(execution.Account, Request(execution, command), cancel);
        Tell(execution);
    }

    /// <summary>JSON and CBOR say so at the end of the topic, everything else by its content type; the time left is the message's.</summary>
    static OutgoingMessage Request(CommandExecution execution, Command command)
    {
        var (payload, type) = command.PayloadTemplate is { } template
            ? (PayloadTemplate.Fill(template, command.Preprocessor!.AwsJsonSubstitution!.OutputFormat, execution.Parameters!, execution.TimeoutSeconds),
                command.Preprocessor.AwsJsonSubstitution.OutputFormat == "JSON" ? "application/json" : "application/cbor")
            : (command.Payload?.Content ?? [], command.Payload?.ContentType);
        var format = type switch { "application/json" => "/json", "application/cbor" => "/cbor", _ => "" };
        return new(execution.Topic + "request" + format, payload)
        {
            QoS = 1,
            ContentType = type,
            Expiry = TimeSpan.FromSeconds(execution.TimeoutSeconds),
        };
    }

    /// <summary>A device says how it is.</summary>
    /// <exception cref="CommandRefusal">It may not say so.</exception>
    public async ValueTask Report(AccountId account, string target, string id, DeviceReport report)
    {
        for (var attempt = 1; ; attempt++)
        {
            var row = await store.Get(CommandExecution.Table, account, CommandExecution.KeyOf(target, id), default)
                ?? throw new CommandRefusal(CommandErrorCode.ResourceNotFound, $"There is no execution '{id}' for this device.");
            var changed = CommandRules.Apply(row.Value, report, clock.GetUtcNow());
            if (await TryChange(row, changed, attempt))
                return;
        }
    }

    /// <summary>The device has said nothing in time.</summary>
    public async ValueTask Expire(Row<CommandExecution> row)
    {
        var changed = row.Value with
        {
            Status = CommandStatus.TIMED_OUT,
            IsLate = true,
            Reason = new() { ReasonCode = NoResponse },
            LastUpdatedAt = clock.GetUtcNow(),
        };
        await TryChange(row, changed, attempt: 1);
    }

    async ValueTask<bool> TryChange(Row<CommandExecution> row, CommandExecution changed, int attempt)
    {
        var batch = new Batch().Replace(CommandExecution.Table, row, changed);
        CommandTimer.Follow(batch, row.Value, changed);
        try
        {
            await store.Commit(batch, default);
        }
        catch (StorageConflictException) when (attempt < AttemptsMax)
        {
            return false;
        }
        TimerSet?.Invoke(changed.DueAt);
        if (changed.Status != row.Value.Status || changed.IsLate != row.Value.IsLate)
            Tell(changed);
        return true;
    }

    /// <summary>"Command execution events"; they come whatever the account's event configurations say.</summary>
    void Tell(CommandExecution execution) => messages.Tell(execution.Account, null, $"commandExecution/{execution.CommandId}/{execution.Status}", new
    {
        executionId = execution.Id,
        status = execution.Status.ToString(),
        statusReason = execution.Reason is { } reason ? new { reasonCode = reason.ReasonCode, reasonDescription = reason.ReasonDescription ?? "" } : null,
        eventType = "COMMAND_EXECUTION",
        commandArn = execution.CommandArn,
        targetArn = execution.TargetArn,
        timestamp = clock.GetUtcNow().ToUnixTimeMilliseconds(),
    });
}
