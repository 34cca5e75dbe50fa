using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Api;
using Althing.Jobs.Executions;

namespace Althing.Jobs.Devices;

/// <summary>An execution in a list. Times are whole seconds, here as on the topics.</summary>
sealed record ExecutionSummary
{
    public string? JobId { get; init; }
    public long? QueuedAt { get; init; }
    public long? StartedAt { get; init; }
    public long? LastUpdatedAt { get; init; }
    public long? VersionNumber { get; init; }
    public long? ExecutionNumber { get; init; }

    public static ExecutionSummary Of(JobExecution execution) => new()
    {
        JobId = execution.JobId,
        QueuedAt = execution.QueuedAt.ToUnixTimeSeconds(),
        StartedAt = execution.StartedAt?.ToUnixTimeSeconds(),
        LastUpdatedAt = execution.LastUpdatedAt.ToUnixTimeSeconds(),
        VersionNumber = execution.Version,
        ExecutionNumber = execution.Number,
    };
}

/// <summary>An execution with all that a device must know.</summary>
sealed record ExecutionData
{
    public string? JobId { get; init; }
    public string? ThingName { get; init; }
    public string? Status { get; init; }
    public IReadOnlyDictionary<string, string>? StatusDetails { get; init; }
    public long? QueuedAt { get; init; }
    public long? StartedAt { get; init; }
    public long? LastUpdatedAt { get; init; }
    public long? ApproximateSecondsBeforeTimedOut { get; init; }
    public long? VersionNumber { get; init; }
    public long? ExecutionNumber { get; init; }
    public string? JobDocument { get; init; }

    public static ExecutionData Of(Described described, DateTimeOffset now)
    {
        var execution = described.Execution;
        return new()
        {
            JobId = execution.JobId,
            ThingName = execution.ThingName,
            Status = execution.Status.ToString(),
            StatusDetails = execution.StatusDetails,
            QueuedAt = execution.QueuedAt.ToUnixTimeSeconds(),
            StartedAt = execution.StartedAt?.ToUnixTimeSeconds(),
            LastUpdatedAt = execution.LastUpdatedAt.ToUnixTimeSeconds(),
            ApproximateSecondsBeforeTimedOut = SecondsLeft(execution, now),
            VersionNumber = execution.Version,
            ExecutionNumber = execution.Number,
            JobDocument = described.Document,
        };
    }

    public static long? SecondsLeft(JobExecution execution, DateTimeOffset now) =>
        execution.DueAt is { } at ? (long)Math.Max(0, Math.Ceiling((at - now).TotalSeconds)) : null;

    /// <summary>As it goes over MQTT, where the document is an object and not its text.</summary>
    public JsonObject ToMqtt()
    {
        var all = JsonSerializer.SerializeToNode(this, DeviceJson.Options)!.AsObject();
        if (JobDocument is not null)
            all["jobDocument"] = JsonNode.Parse(JobDocument);
        return all;
    }
}

/// <summary>What an update made of an execution.</summary>
sealed record ExecutionState
{
    public string? Status { get; init; }
    public IReadOnlyDictionary<string, string>? StatusDetails { get; init; }
    public long? VersionNumber { get; init; }

    public static ExecutionState Of(JobExecution execution) => new()
    {
        Status = execution.Status.ToString(),
        StatusDetails = execution.StatusDetails,
        VersionNumber = execution.Version,
    };
}

/// <summary>A thing's pending executions as the answer has them: at most as many of each kind as are shown.</summary>
static class PendingLists
{
    public static (IReadOnlyList<ExecutionSummary> InProgress, IReadOnlyList<ExecutionSummary> Queued) Of(object? answer)
    {
        var all = ((IReadOnlyList<Storage.Row<JobExecution>>)answer!).Select(r => r.Value).ToLookup(e => e.Status, ExecutionSummary.Of);
        return ([.. all[ExecutionStatus.IN_PROGRESS]], [.. all[ExecutionStatus.QUEUED]]);
    }
}

/// <summary>Asks the desk on behalf of a caller over HTTP.</summary>
static class DeskCalls
{
    /// <exception cref="ServiceException">It was refused.</exception>
    public static async ValueTask<object?> AskOverHttp(this ExecutionDesk desk, ThingRequest request, Func<JobRefusal, ServiceException>? refuse = null)
    {
        try
        {
            return await desk.Ask(request);
        }
        catch (JobRefusal refusal)
        {
            throw refuse is null ? refusal.ToDataException() : refuse(refusal);
        }
    }
}
