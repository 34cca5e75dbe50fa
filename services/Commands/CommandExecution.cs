using System.Text.Json.Serialization;
using Althing.Api;
using Althing.Commands.Parameters;
using Althing.Storage;

namespace Althing.Commands;

enum CommandStatus { CREATED, IN_PROGRESS, SUCCEEDED, FAILED, REJECTED, TIMED_OUT }

/// <summary>A command that was sent to one device.</summary>
sealed record CommandExecution
{
    public static readonly Table<CommandExecution> Table = new("command-executions", e => (e.Account, KeyOf(e.Target, e.Id)),
        Index<CommandExecution>.On("command", e => Key.Of(e.CommandId, Moments.Key(e.CreatedAt))),
        Index<CommandExecution>.On("target", e => Key.Of(e.Target, Moments.Key(e.CreatedAt))),
        Index<CommandExecution>.On("created", e => Moments.Key(e.CreatedAt)));

    /// <summary>How long what became of it is kept ("Command execution", time to live).</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromDays(183);

    public required AccountId Account { get; init; }

    /// <summary>A UUID.</summary>
    public required string Id { get; init; }

    /// <summary><c>thing/NAME</c> or <c>client/ID</c>.</summary>
    public required string Target { get; init; }
    public required string Region { get; init; }
    public required string CommandId { get; init; }
    public required string Namespace { get; init; }
    public required CommandStatus Status { get; init; }
    public required long TimeoutSeconds { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset LastUpdatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
    public StatusReason? Reason { get; init; }
    public IReadOnlyDictionary<string, CommandExecutionResult>? Result { get; init; }
    public IReadOnlyDictionary<string, CommandParameterValue>? Parameters { get; init; }

    /// <summary>Timed out because the device said nothing: it may still say how it ended.</summary>
    public bool IsLate { get; init; }

    public bool IsOver => !IsLate && Status is not (CommandStatus.CREATED or CommandStatus.IN_PROGRESS);

    /// <summary>When something is to be done to it by itself: it times out, or is forgotten.</summary>
    public DateTimeOffset DueAt => Status is CommandStatus.CREATED or CommandStatus.IN_PROGRESS ? CreatedAt.AddSeconds(TimeoutSeconds) : CreatedAt + KeptFor;

    public string TargetArn => $"arn:aws:iot:{Region}:{Account}:{Target}";

    public string CommandArn => $"arn:aws:iot:{Region}:{Account}:command/{CommandId}";

    /// <summary>Where the device gets and answers it.</summary>
    public string Topic => $"$aws/commands/{(Target.StartsWith("thing/", StringComparison.Ordinal) ? "things" : "clients")}/{Target[(Target.IndexOf('/') + 1)..]}/executions/{Id}/";

    public static string KeyOf(string target, string id) => Key.Of(target, id);
}

/// <summary>When something is due of an execution. Rows of all accounts stand in the order of their times.</summary>
sealed record CommandTimer(DateTimeOffset At, AccountId Account, string Target, string Id)
{
    public static readonly Table<CommandTimer> Table = new("command-timers", t => (AccountId.Platform, KeyOf(t)));

    static string KeyOf(CommandTimer timer) => Key.Of(Moments.Key(timer.At), timer.Account.Value, CommandExecution.KeyOf(timer.Target, timer.Id));

    static CommandTimer Of(CommandExecution execution) => new(execution.DueAt, execution.Account, execution.Target, execution.Id);

    /// <summary>Keeps the timer's row as the execution's change has it.</summary>
    public static void Follow(Batch batch, CommandExecution? before, CommandExecution? after)
    {
        var (old, now) = (before is null ? null : Of(before), after is null ? null : Of(after));
        if (old == now)
            return;
        if (old is not null)
            batch.Delete(Table, AccountId.Platform, KeyOf(old));
        if (now is not null)
            batch.Put(Table, now);
    }
}

/// <summary>Why an execution is in its state, in the device's words or the platform's.</summary>
sealed record StatusReason
{
    [Length(0, 64), Pattern("[A-Z0-9_-]+")]
    public required string ReasonCode { get; init; }
    [Length(0, 1024), Pattern(@"[^\p{C}]*")]
    public string? ReasonDescription { get; init; }
}

/// <summary>What a device answered: a text, a truth, or bytes.</summary>
sealed record CommandExecutionResult
{
    [JsonPropertyName("S"), Length(1)]
    public string? S { get; init; }
    [JsonPropertyName("B")]
    public bool? B { get; init; }
    [JsonPropertyName("BIN"), Length(1)]
    public byte[]? BIN { get; init; }
}
