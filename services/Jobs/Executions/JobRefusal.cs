using Althing.Api;
using Althing.Core;

namespace Althing.Jobs.Executions;

/// <summary>The error codes of the jobs' topics ("ErrorResponse").</summary>
enum JobErrorCode
{
    InvalidTopic, InvalidJson, InvalidRequest, InvalidStateTransition, ResourceNotFound, VersionMismatch, InternalError, RequestThrottled, TerminalStateReached,
}

/// <summary>A request about an execution that cannot be met.</summary>
sealed class JobRefusal(JobErrorCode code, string message) : Exception(message)
{
    public JobErrorCode Code => code;

    /// <summary>What the execution is, for those who were mistaken about it.</summary>
    public JobExecution? Execution { get; init; }

    public static JobRefusal NoExecution(string thing, string job, long? number) => new(JobErrorCode.ResourceNotFound,
        $"There is no execution {(number is null ? "" : $"{number} ")}of job '{job}' on thing '{thing}'.");

    /// <summary>The same over HTTP. The data plane's model has no exception for versions: a conflict is a conflict.</summary>
    public ServiceException ToDataException() => code switch
    {
        JobErrorCode.ResourceNotFound => Refuse.ResourceNotFound(Message),
        JobErrorCode.InvalidStateTransition or JobErrorCode.VersionMismatch => Refuse.InvalidStateTransition(Message),
        JobErrorCode.TerminalStateReached => Refuse.TerminalState(Message),
        JobErrorCode.RequestThrottled => Refuse.TooManyCalls(Message),
        _ => Refuse.InvalidRequest(Message),
    };

    /// <summary>The same for callers of the control plane.</summary>
    public ServiceException ToControlException() => code == JobErrorCode.VersionMismatch ? Refuse.VersionConflict(Message) : ToDataException();
}
