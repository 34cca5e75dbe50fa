namespace Althing.Commands.Executions;

/// <summary>What a device says of an execution.</summary>
sealed record DeviceReport(CommandStatus Status, StatusReason? Reason, IReadOnlyDictionary<string, CommandExecutionResult>? Result);

/// <summary>How executions change. Pure.</summary>
static class CommandRules
{
    /// <summary>
    /// A device may say anything until it has said how it ended; when only the platform gave it up, it may still say so
    /// ("Commands concepts and status": a time-out that the cloud reports is not the end).
    /// </summary>
    /// <exception cref="CommandRefusal">TerminalStateReached, InvalidStateTransition.</exception>
    public static CommandExecution Apply(CommandExecution execution, DeviceReport report, DateTimeOffset now)
    {
        if (execution.IsOver)
            throw new CommandRefusal(CommandErrorCode.TerminalStateReached, $"The execution '{execution.Id}' is over: {execution.Status}.");
        if (report.Status == CommandStatus.CREATED || (execution.IsLate && report.Status == CommandStatus.IN_PROGRESS))
            throw new CommandRefusal(CommandErrorCode.InvalidStateTransition, $"An execution cannot go from {execution.Status} to {report.Status}.");
        var ends = report.Status != CommandStatus.IN_PROGRESS;
        return execution with
        {
            Status = report.Status,
            IsLate = false,
            Reason = report.Reason,
            Result = report.Result ?? execution.Result,
            StartedAt = execution.StartedAt ?? now,
            CompletedAt = ends ? now : null,
            LastUpdatedAt = now,
        };
    }
}

/// <summary>What devices are told when they are refused ("Commands", rejected responses).</summary>
enum CommandErrorCode { InvalidTopic, InvalidJson, InvalidRequest, InvalidStateTransition, ResourceNotFound, InternalError, RequestThrottled, TerminalStateReached }

sealed class CommandRefusal(CommandErrorCode code, string message) : Exception(message)
{
    public CommandErrorCode Code { get; } = code;
}
