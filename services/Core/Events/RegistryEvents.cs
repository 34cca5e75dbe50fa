using System.Collections.Concurrent;
using Althing.Core.Authority;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Core.Events;

/// <summary>
/// Publishes what happened in the registry on <c>$aws/events/…</c>, when the account's event configurations ask for it ("Registry events").
/// </summary>
/// <remarks>
/// Messages follow the commit in its order, by one task. A process that dies between a commit and its message sends none; when more than
/// <see cref="WaitingMax"/> changes wait, the newest are dropped with one line in the log.
/// </remarks>
sealed class RegistryEvents(IStore store, PlatformPublish publish, TimeProvider clock, ILogger<RegistryEvents> logger)
{
    const int WaitingMax = 200_000;

    readonly Lock gate = new();
    readonly Queue<(RegistryChange Change, DateTimeOffset At)> waiting = new();
    readonly ConcurrentDictionary<AccountId, IReadOnlySet<string>> enabled = new();
    Task working = Task.CompletedTask;
    bool idle = true;
    bool complained;

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
        if (change.IsFromElsewhere || RegistryMessage.TypeOf(change.Resource) is null)
            return;
        lock (gate)
        {
            if (waiting.Count >= WaitingMax)
            {
                if (!complained)
                    logger.LogWarning("{Waiting} registry events wait to be published; further ones are dropped until they are.", waiting.Count);
                complained = true;
                return;
            }
            waiting.Enqueue((change, clock.GetUtcNow()));
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
            (RegistryChange Change, DateTimeOffset At) next;
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
                var types = await TypesOf(next.Change.Account);
                if (types.Contains(RegistryMessage.TypeOf(next.Change.Resource)!) && RegistryMessage.Of(next.Change, next.At) is { } message)
                    await publish(next.Change.Account, message, CancellationToken.None);
            }
            catch (Exception failure)
            {
                logger.LogError(failure, "The registry event for {Resource} {Id} could not be published.", next.Change.Resource, next.Change.Id);
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
