using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Althing.Broker;
using Althing.Core.Authority;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Core.Shadows;

/// <summary>
/// Where all requests to shadows are dealt with, one at a time for each shadow: what has gathered is decided together, kept with one write,
/// and only then answered. Another process that wrote first is noticed by the row's version, and the requests are decided anew.
/// </summary>
sealed partial class ShadowDesk(IStore store, PlatformPublish publish, PlatformAudience audience, TimeProvider clock, ILogger<ShadowDesk> logger)
{
    /// <summary>Requests of one client that may wait at a time; more are refused with 429 ("Device Shadow error messages").</summary>
    public const int InFlightMax = 10;

    const int Lanes = 32;
    const int BatchMax = 64;

    /// <summary>How often a batch is decided anew because somebody else wrote first.</summary>
    const int AttemptsMax = 20;

    readonly Lane[] lanes = [.. Enumerable.Range(0, Lanes).Select(_ => new Lane())];
    readonly ConcurrentDictionary<(AccountId, string), int> inFlight = new();

    sealed class Lane
    {
        public Lock Gate { get; } = new();
        public Queue<Waiting> Queue { get; } = new();
        public bool Works { get; set; }
    }

    sealed record Waiting(ShadowRequest Request)
    {
        public TaskCompletionSource<ShadowOutcome> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Answers when the accepted request is durable and published.</summary>
    /// <exception cref="ShadowRefusal">It was refused.</exception>
    public Task<ShadowOutcome> Ask(ShadowRequest request)
    {
        var lane = lanes[(uint)(request.Account, request.ThingName, request.ShadowName).GetHashCode() % Lanes];
        var waiting = new Waiting(request);
        lock (lane.Gate)
        {
            lane.Queue.Enqueue(waiting);
            if (lane.Works)
                return waiting.Done.Task;
            lane.Works = true;
        }
        _ = Task.Run(() => Work(lane));
        return waiting.Done.Task;
    }

    /// <summary>A request that was published on a reserved topic. Completes when it is durable and answered there.</summary>
    public async ValueTask Take(ShadowRequest request)
    {
        var asker = (request.Account, request.Asker ?? "");
        try
        {
            if (request.Asker is not null && inFlight.AddOrUpdate(asker, 1, static (_, n) => n + 1) > InFlightMax)
                throw new ShadowRefusal(429, $"More than {InFlightMax} requests of this client are in progress");
            await Ask(request);
        }
        catch (ShadowRefusal refusal)
        {
            await publish(request.Account, Rejection(request, refusal), CancellationToken.None);
        }
        finally
        {
            if (request.Asker is not null && inFlight.AddOrUpdate(asker, 0, static (_, n) => n - 1) == 0)
                inFlight.TryRemove(new(asker, 0));
        }
    }

    OutgoingMessage Rejection(ShadowRequest request, ShadowRefusal refusal)
    {
        var document = new JsonObject { ["code"] = refusal.Code, ["message"] = refusal.Message, ["timestamp"] = clock.GetUtcNow().ToUnixTimeSeconds() };
        if (refusal.ClientToken is not null)
            document["clientToken"] = refusal.ClientToken;
        return Message(request, NameOf(request.Verb) + "/rejected", document);
    }

    static string NameOf(ShadowVerb verb) => verb switch { ShadowVerb.Get => "get", ShadowVerb.Update => "update", _ => "delete" };

    static OutgoingMessage Message(ShadowRequest request, string last, JsonObject document) =>
        new(request.Topic(last), ShadowTree.Write(document)) { QoS = 1 };

    async Task Work(Lane lane)
    {
        List<Waiting> batch = [];
        while (true)
        {
            batch.Clear();
            lock (lane.Gate)
            {
                while (batch.Count < BatchMax && lane.Queue.TryDequeue(out var next))
                    batch.Add(next);
                if (batch.Count == 0)
                {
                    lane.Works = false;
                    return;
                }
            }
            try
            {
                await Decide(batch);
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                LogFailed(logger, failure);
                foreach (var waiting in batch)
                    waiting.Done.TrySetException(failure);
            }
        }
    }

    async Task Decide(List<Waiting> batch)
    {
        for (var attempt = 1; ; attempt++)
        {
            var outcomes = await Apply(batch);
            try
            {
                if (outcomes.Writes.Steps.Count > 0)
                    await store.Commit(outcomes.Writes, CancellationToken.None);
            }
            catch (StorageConflictException) when (attempt < AttemptsMax)
            {
                continue;
            }
            await Answer(outcomes.All);
            return;
        }
    }

    async Task<(Batch Writes, List<(Waiting Waiting, ShadowOutcome? Outcome, ShadowRefusal? Refusal)> All)> Apply(List<Waiting> batch)
    {
        Dictionary<(AccountId, string), (Row<Shadow>? Row, Shadow? Now)> shadows = [];
        List<(Waiting, ShadowOutcome?, ShadowRefusal?)> all = [];
        foreach (var waiting in batch)
        {
            var request = waiting.Request;
            var place = (request.Account, request.Key);
            if (!shadows.TryGetValue(place, out var shadow))
            {
                var row = await store.Get(Shadow.Table, request.Account, request.Key, CancellationToken.None);
                shadow = (row, row?.Value);
            }
            try
            {
                var outcome = ShadowRules.Apply(shadow.Now, request, clock.GetUtcNow());
                all.Add((waiting, outcome, null));
                shadow.Now = outcome.After ?? shadow.Now;
            }
            catch (ShadowRefusal refusal)
            {
                all.Add((waiting, null, refusal));
            }
            shadows[place] = shadow;
        }
        var writes = new Batch();
        foreach (var (row, now) in shadows.Values)
        {
            if (now is null || ReferenceEquals(now, row?.Value))
                continue;
            if (row is { } read)
                writes.Replace(Shadow.Table, read, now);
            else
                writes.Add(Shadow.Table, now);
        }
        return (writes, all);
    }

    /// <summary>Publishes in the order of the requests and tells who asked.</summary>
    async Task Answer(List<(Waiting Waiting, ShadowOutcome? Outcome, ShadowRefusal? Refusal)> all)
    {
        List<(Waiting Waiting, ShadowOutcome Outcome, Task Published)> published = [];
        foreach (var (waiting, outcome, refusal) in all)
        {
            if (outcome is null)
                waiting.Done.SetException(refusal!);
            else
                published.Add((waiting, outcome, Publish(waiting.Request, outcome)));
        }
        foreach (var (waiting, outcome, task) in published)
        {
            try
            {
                await task;
                waiting.Done.SetResult(outcome);
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                LogFailed(logger, failure);
                waiting.Done.SetException(failure);
            }
        }
    }

    Task Publish(ShadowRequest request, ShadowOutcome outcome)
    {
        List<Task>? unfinished = null;
        foreach (var (last, document) in outcome.Messages)
        {
            if (!audience(request.Account, request.Topic(last)))
                continue;
            var published = publish(request.Account, Message(request, last, document()), CancellationToken.None);
            if (!published.IsCompletedSuccessfully)
                (unfinished ??= []).Add(published.AsTask());
        }
        return unfinished is null ? Task.CompletedTask : Task.WhenAll(unfinished);
    }

    /// <summary>Forgets the versions of shadows that were deleted long ago.</summary>
    public async Task Sweep(CancellationToken cancel)
    {
        var before = clock.GetUtcNow() - Shadow.Remembered;
        await foreach (var row in store.ScanAll(Shadow.Table, cancel))
        {
            if (!(row.Value.DeletedAt <= before))
                continue;
            try
            {
                await store.Commit(new Batch().Delete(Shadow.Table, row), cancel);
            }
            catch (StorageConflictException)
            {
                // It lives again.
            }
        }
    }

    [LoggerMessage(60, LogLevel.Error, "Requests to shadows could not be carried out")]
    static partial void LogFailed(ILogger logger, Exception failure);
}
