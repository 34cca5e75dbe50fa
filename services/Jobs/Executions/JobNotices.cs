using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Broker;
using Althing.Jobs.Devices;
using Althing.Storage;

namespace Althing.Jobs.Executions;

/// <summary>Which execution was next on a thing; an empty one for none.</summary>
readonly record struct PendingFront(string? JobId, long Number)
{
    public static PendingFront Of(JobExecution? execution) => execution is null ? default : new(execution.JobId, execution.Number);
}

/// <summary>
/// Tells devices of changes ("Jobs notifications"): the list, when an execution has been added to what is pending or taken from it; the next
/// one, when another has become it. Nothing is read or written where nobody listens.
/// </summary>
sealed class JobNotices(IStore store, MqttBroker broker, DocumentTexts documents, JobStore jobs, JobEvents events, JobLimits limits, TimeProvider clock)
{
    static string ListTopic(JobExecution execution) => Topic(execution, "notify");

    static string NextTopic(JobExecution execution) => Topic(execution, "notify-next");

    static string Topic(JobExecution execution, string name) =>
        $"$aws/things/{execution.ThingName}/jobs/{name}" + (execution.NamespaceId is { } space ? "-namespace-" + space : "");

    /// <summary>What is next before a change of this execution is written; null where nobody would hear of it.</summary>
    public async ValueTask<PendingFront?> FrontBefore(JobExecution execution, CancellationToken cancel) =>
        broker.IsHeard(execution.Account, NextTopic(execution)) ? PendingFront.Of((await Front(execution, cancel))?.Value) : null;

    async ValueTask<Row<JobExecution>?> Front(JobExecution like, CancellationToken cancel) =>
        await store.Scan(JobExecution.Table, like.Account, JobExecution.PendingOf(like.ThingName, like.NamespaceId, 1), cancel) is [var row] ? row : null;

    /// <summary>Tells of changes of one thing's executions that have been written.</summary>
    public async ValueTask Tell(IReadOnlyList<ExecutionChange> changes, PendingFront? before, CancellationToken cancel)
    {
        foreach (var change in changes)
            events.Tell(change);
        var thing = changes[0].Either;
        if (changes.Any(c => c.Before?.Value.IsPending is true != c.After is { IsPending: true }) && broker.IsHeard(thing.Account, ListTopic(thing)))
            await TellList(thing, cancel);
        if (before is { } old)
            await TellNext(thing, old, cancel);
    }

    async ValueTask TellList(JobExecution thing, CancellationToken cancel)
    {
        var pending = await store.Scan(JobExecution.Table, thing.Account, JobExecution.PendingOf(thing.ThingName, thing.NamespaceId, limits.PendingShownMax), cancel);
        JsonObject all = [];
        foreach (var group in pending.Select(r => r.Value).GroupBy(e => e.Status))
            all[group.Key.ToString()] = JsonSerializer.SerializeToNode(group.Select(ExecutionSummary.Of), DeviceJson.Options);
        await Publish(thing.Account, ListTopic(thing), new() { ["timestamp"] = clock.GetUtcNow().ToUnixTimeSeconds(), ["jobs"] = all }, cancel);
    }

    async ValueTask TellNext(JobExecution thing, PendingFront before, CancellationToken cancel)
    {
        var now = (await Front(thing, cancel))?.Value;
        if (PendingFront.Of(now) == before)
            return;
        var message = new JsonObject { ["timestamp"] = clock.GetUtcNow().ToUnixTimeSeconds() };
        if (now is not null)
        {
            if (await jobs.Find(now.Account, now.JobId, cancel) is not { Value: var job })
                return;
            message["execution"] = ExecutionData.Of(new(now, await documents.ForDevice(job, cancel)), clock.GetUtcNow()).ToMqtt();
        }
        await Publish(thing.Account, NextTopic(thing), message, cancel);
    }

    ValueTask Publish(AccountId account, string topic, JsonObject document, CancellationToken cancel) =>
        broker.Publish(account, new(topic, DeviceJson.Write(document)) { QoS = 1 }, cancel);
}
