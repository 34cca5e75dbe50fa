using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using Althing.Broker;
using Althing.Core.Authority;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Core.Events;

/// <summary>
/// Publishes what happened in the registry, and what other services tell of, on <c>$aws/events/…</c>, when the account's event configurations
/// ask for it ("Registry events").
/// </summary>
/// <remarks>
/// Messages follow the commit in its order, by one task. A process that dies between a commit and its message sends none; when more than
/// <see cref="WaitingMax"/> changes wait, the newest are dropped with one line in the log.
/// </remarks>
sealed class RegistryEvents(IStore store, PlatformPublish publish, TimeProvider clock, ILogger<RegistryEvents> logger) : IEventMessages
{
    const int WaitingMax = 200_000;

    static readonly JsonSerializerOptions PlainJson = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    readonly Lock gate = new();
    readonly Queue<Waiting> waiting = new();
    readonly ConcurrentDictionary<AccountId, IReadOnlySet<string>> enabled = new();
    Task working = Task.CompletedTask;
    bool idle = true;
    bool complained;

    /// <param name="What">For the log.</param>
    /// <param name="Message">Makes the message, if there is one.</param>
    sealed record Waiting(AccountId Account, string? Type, string What, Func<OutgoingMessage?> Message);

    /// <summary>Completes when everything noted so far has been published; for tests and an orderly end.</summary>
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

    public void Note(RegistryChange change)
    {
        if (change.IsFromElsewhere || RegistryMessage.TypeOf(change.Resource) is not { } type)
            return;
        var at = clock.GetUtcNow();
        Enqueue(new(change.Account, type, $"{change.Resource} {change.Id}", () => RegistryMessage.Of(change, at)));
    }

    public void Tell(AccountId account, string? type, string topic, object payload) =>
        Enqueue(new(account, type, topic, () => new("$aws/events/" + topic, JsonSerializer.SerializeToUtf8Bytes(payload, PlainJson)) { QoS = 1 }));

    void Enqueue(Waiting message)
    {
        lock (gate)
        {
            if (waiting.Count >= WaitingMax)
            {
                if (!complained)
                    logger.LogWarning("{Waiting} registry events wait to be published; further ones are dropped until they are.", waiting.Count);
                complained = true;
                return;
            }
            waiting.Enqueue(message);
            if (!idle)
                return;
            idle = false;
            working = Task.Run(Work);
        }
    }

    async Task Work()
    {
        while (true)
        {
            Waiting? next;
            lock (gate)
            {
                if (!waiting.TryDequeue(out next))
                {
                    (idle, complained) = (true, false);
                    return;
                }
            }
            try
            {
                if ((next.Type is null || (await TypesOf(next.Account)).Contains(next.Type)) && next.Message() is { } message)
                    await publish(next.Account, message, CancellationToken.None);
            }
            catch (Exception failure)
            {
                logger.LogError(failure, "The event message for {What} could not be published.", next.What);
            }
        }
    }

    async ValueTask<IReadOnlySet<string>> TypesOf(AccountId account)
    {
        if (enabled.TryGetValue(account, out var known))
            return known;
        while (true)
        {
            var row = await store.Get(EventSettings.Table, account, EventSettings.Key, CancellationToken.None);
            HashSet<string> types = [.. row?.Value.Enabled ?? []];
            enabled[account] = types;
            // A change of the settings during the reading has taken away what was there before: then read once more.
            var again = await store.Get(EventSettings.Table, account, EventSettings.Key, CancellationToken.None);
            if (again?.Version == row?.Version)
                return types;
        }
    }
}
