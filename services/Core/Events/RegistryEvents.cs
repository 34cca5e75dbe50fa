using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Althing.Core.Authority;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Core.Events;

/// <summary>
/// Publishes what happened in the registry, and what other services tell of, on <c>$aws/events/…</c>, when the account's event configurations
/// ask for it ("Registry events"). A registry event is a row of the same commit as its change, is published by one task after the commit, and
/// removed then: nothing is lost by a kill. What other services tell of is in memory alone.
/// </summary>
sealed class RegistryEvents(IStore store, PlatformPublish publish, TimeProvider clock, ILogger<RegistryEvents> logger) : IEventMessages
{
    /// <summary>Published ones are removed together.</summary>
    const int TogetherMax = 256;

    /// <summary>More stay in the table until <see cref="EventsLeft"/> comes to them.</summary>
    const int WaitingMax = 200_000;

    static readonly JsonSerializerOptions PlainJson = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <param name="Type">The event type that must be enabled; null when it need not, or was found to be.</param>
    /// <param name="IsRow">It is in the table.</param>
    readonly record struct Waiting(OwedEvent Event, string? Type, bool IsRow);

    readonly Lock gate = new();
    readonly Queue<Waiting> waiting = new();
    readonly HashSet<(AccountId, string)> known = [];
    readonly ConcurrentDictionary<AccountId, IReadOnlySet<string>> enabled = new();

    /// <summary>Two nodes never make the same key.</summary>
    readonly string maker = Guid.NewGuid().ToString("N")[..8];
    long lastKey;
    Task working = Task.CompletedTask;
    bool idle = true;
    bool complained;

    /// <summary>Completes when everything owed so far has been published; for tests and an orderly end.</summary>
    public Task Settled
    {
        get
        {
            lock (gate)
                return working;
        }
    }

    /// <summary>Reads the account's event configurations again at its next change.</summary>
    public void Forget(AccountId account) => enabled.TryRemove(account, out _);

    /// <summary>Adds to a batch the events of what it changes; answers them for <see cref="Publish"/> after the commit.</summary>
    public async ValueTask<IReadOnlyList<OwedEvent>> Owe(Batch batch, IReadOnlyList<RegistryChange> changes, CancellationToken cancel)
    {
        List<OwedEvent>? owed = null;
        foreach (var change in changes)
        {
            if (RegistryMessage.TypeOf(change.Resource) is not { } type || !(await TypesOf(change.Account, cancel)).Contains(type))
                continue;
            var at = clock.GetUtcNow();
            if (RegistryMessage.Of(change, at) is not { } message)
                continue;
            var one = new OwedEvent(change.Account, NextKey(at), message.Topic, message.Payload.ToArray(), at);
            batch.Add(OwedEvent.Table, one);
            (owed ??= []).Add(one);
        }
        return owed ?? (IReadOnlyList<OwedEvent>)[];
    }

    string NextKey(DateTimeOffset at)
    {
        lock (gate)
        {
            lastKey = Math.Max(lastKey + 1, at.ToUnixTimeMilliseconds() * 1000);
            return string.Create(CultureInfo.InvariantCulture, $"{lastKey:D19}-{maker}");
        }
    }

    /// <summary>The event is about to be published by this process.</summary>
    public bool IsWaiting(OwedEvent owed)
    {
        lock (gate)
            return known.Contains((owed.Account, owed.Key));
    }

    /// <summary>Publishes events that are in the table, soon and in their order, and removes them.</summary>
    public void Publish(IReadOnlyList<OwedEvent> owed)
    {
        if (owed.Count == 0)
            return;
        lock (gate)
        {
            foreach (var one in owed)
            {
                if (waiting.Count < WaitingMax && known.Add((one.Account, one.Key)))
                    waiting.Enqueue(new(one, null, IsRow: true));
            }
            Begin();
        }
    }

    public void Tell(AccountId account, string? type, string topic, object payload)
    {
        var at = clock.GetUtcNow();
        var told = new OwedEvent(account, NextKey(at), "$aws/events/" + topic, JsonSerializer.SerializeToUtf8Bytes(payload, PlainJson), at);
        lock (gate)
        {
            if (waiting.Count >= WaitingMax)
            {
                if (!complained)
                    logger.LogWarning("{Waiting} event messages wait to be published; further ones are dropped until they are.", waiting.Count);
                complained = true;
                return;
            }
            waiting.Enqueue(new(told, type, IsRow: false));
            Begin();
        }
    }

    void Begin()
    {
        if (!idle)
            return;
        idle = false;
        working = Task.Run(Work);
    }

    async Task Work()
    {
        while (Next() is { Count: > 0 } together)
        {
            var done = new Batch();
            var isEmpty = true;
            foreach (var (one, type, isRow) in together)
            {
                try
                {
                    if (type is null || (await TypesOf(one.Account, CancellationToken.None)).Contains(type))
                        await publish(one.Account, new(one.Topic, one.Payload) { QoS = 1 }, CancellationToken.None);
                    if (!isRow)
                        continue;
                    done.Delete(OwedEvent.Table, one.Account, one.Key);
                    isEmpty = false;
                }
                catch (Exception failure) when (failure is not OutOfMemoryException)
                {
                    logger.LogError(failure, "The event message for {Topic} could not be published; one of the registry will be tried again.", one.Topic);
                }
            }
            if (!isEmpty)
                await Remove(done);
            lock (gate)
            {
                foreach (var (one, _, _) in together)
                    known.Remove((one.Account, one.Key));
            }
        }
    }

    List<Waiting> Next()
    {
        lock (gate)
        {
            List<Waiting> together = [];
            while (together.Count < TogetherMax && waiting.TryDequeue(out var next))
                together.Add(next);
            if (idle = together.Count == 0)
                complained = false;
            // Of two changes at once the later may have come here first.
            together.Sort(static (a, b) => string.CompareOrdinal(a.Event.Key, b.Event.Key));
            return together;
        }
    }

    async Task Remove(Batch done)
    {
        try
        {
            await store.Commit(done, CancellationToken.None);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            logger.LogError(failure, "Registry events that were published could not be removed; they will be published once more.");
        }
    }

    async ValueTask<IReadOnlySet<string>> TypesOf(AccountId account, CancellationToken cancel)
    {
        if (enabled.TryGetValue(account, out var types))
            return types;
        while (true)
        {
            var row = await store.Get(EventSettings.Table, account, EventSettings.Key, cancel);
            types = (HashSet<string>)[.. row?.Value.Enabled ?? []];
            enabled[account] = types;
            // A change of the settings during the reading has taken away what was there before: then read once more.
            var again = await store.Get(EventSettings.Table, account, EventSettings.Key, cancel);
            if (again?.Version == row?.Version)
                return types;
        }
    }
}
