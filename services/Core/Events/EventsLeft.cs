using Althing.Broker;
using Althing.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Core.Events;

/// <summary>
/// Publishes the registry events that a dead process, or a failure, left behind: after the start, and in a cluster by the node that leads.
/// A receiver may get one twice, with the same <c>eventId</c>.
/// </summary>
sealed partial class EventsLeft(
    IStore store, RegistryEvents events, MqttBroker broker, IHostApplicationLifetime application, TimeProvider clock, ILogger<EventsLeft> logger) : BackgroundService
{
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(5);

    /// <summary>Another node's event that is older than this has been left: one that lives needs milliseconds.</summary>
    static readonly TimeSpan LeftAfter = TimeSpan.FromSeconds(15);

    readonly DateTimeOffset started = clock.GetUtcNow();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The broker knows by then who subscribed.
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registered = application.ApplicationStarted.Register(ready.SetResult);
        await ready.Task.WaitAsync(stoppingToken);
        using var timer = new PeriodicTimer(LookEvery, clock);
        do
        {
            try
            {
                if (broker.LeadsCluster)
                    await Look(stoppingToken);
            }
            catch (Exception failure) when (failure is not OperationCanceledException and not OutOfMemoryException)
            {
                LogNotLooked(logger, failure.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>What this process itself owes is published in any case, unless that failed.</summary>
    async Task Look(CancellationToken cancel)
    {
        var before = clock.GetUtcNow() - LeftAfter;
        if (!broker.IsClustered && before < started)
            before = started;
        List<OwedEvent> left = [];
        await foreach (var row in store.ScanAll(OwedEvent.Table, cancel))
        {
            if (row.Value.At < before && !events.IsWaiting(row.Value))
                left.Add(row.Value);
        }
        if (left.Count == 0)
            return;
        LogLeft(logger, left.Count);
        events.Publish(left);
    }

    [LoggerMessage(1, LogLevel.Information, "Publishing {Count} registry events that were left unpublished")]
    static partial void LogLeft(ILogger logger, int count);

    [LoggerMessage(2, LogLevel.Warning, "Unpublished registry events could not be looked for: {Why}")]
    static partial void LogNotLooked(ILogger logger, string why);
}
