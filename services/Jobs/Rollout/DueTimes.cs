using Althing.Broker;
using Althing.Jobs.Executions;
using Althing.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Jobs.Rollout;

/// <summary>
/// Ends executions whose timers have run out. The index of timers is the wheel: the next one is its first row, so nothing is held in memory,
/// and after a start nothing is to be found again. One node of a cluster does it.
/// </summary>
sealed partial class DueTimes(IStore store, ExecutionDesk desk, MqttBroker broker, TimeProvider clock, ILogger<DueTimes> logger) : BackgroundService
{
    const int AtOnceMax = 512;

    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>A clock that is set is noticed after this time.</summary>
    static readonly TimeSpan SleepMax = TimeSpan.FromMinutes(1);
    static readonly TimeSpan Slip = TimeSpan.FromMilliseconds(100);

    readonly Bell bell = new();
    readonly Lock gate = new();
    DateTimeOffset next = DateTimeOffset.MinValue;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        desk.TimerSet += Note;
        return base.StartAsync(cancellationToken);
    }

    /// <summary>A timer ends then, which may be before those known of.</summary>
    void Note(DateTimeOffset at)
    {
        lock (gate)
        {
            if (at >= next)
                return;
            next = at;
        }
        bell.Ring();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            DateTimeOffset? until = null;
            try
            {
                if (broker.LeadsCluster)
                    until = await EndDue(stoppingToken);
            }
            catch (Exception failure) when (failure is not (OutOfMemoryException or OperationCanceledException))
            {
                LogFailed(logger, failure);
                until = clock.GetUtcNow() + LookEvery;
            }
            var now = clock.GetUtcNow();
            // Timers that other nodes set are not noted here, and this one may have begun to lead.
            var sleepMax = broker.IsClustered ? LookEvery : SleepMax;
            var sleep = until is { } at && at - now < sleepMax ? at - now : sleepMax;
            using var timer = clock.CreateTimer(_ => bell.Ring(), null, sleep > TimeSpan.Zero ? sleep : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            // The clock went on before the timer ran: it would ring too late.
            if (clock.GetUtcNow() - now > Slip)
                bell.Ring();
            await bell.Wait(stoppingToken);
        }
    }

    /// <returns>When the next one ends; null when there is none.</returns>
    async Task<DateTimeOffset?> EndDue(CancellationToken cancel)
    {
        while (true)
        {
            lock (gate)
                next = DateTimeOffset.MaxValue;
            var now = clock.GetUtcNow();
            var rows = await store.Scan(ExecutionTimer.Table, AccountId.Platform, new() { Limit = AtOnceMax }, cancel);
            var due = rows.TakeWhile(r => r.Value.At <= now).ToList();
            await Task.WhenAll(due.Select(r => desk.Ask(new ExpireRequest(r.Value))));
            if (due.Count == AtOnceMax)
                continue;
            if (rows.Count == due.Count)
                return null;
            var first = rows[due.Count].Value.At;
            lock (gate)
            {
                if (first < next)
                    next = first;
            }
            // A millisecond more: the clock must not stand before the timer when it rings.
            return first + TimeSpan.FromMilliseconds(1);
        }
    }

    public override void Dispose()
    {
        desk.TimerSet -= Note;
        base.Dispose();
    }

    [LoggerMessage(76, LogLevel.Error, "Timers of job executions could not be ended; it is tried again")]
    static partial void LogFailed(ILogger logger, Exception failure);
}
