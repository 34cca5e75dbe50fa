using Althing.Broker;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Core;

/// <summary>
/// Does what is due when it is due. A table in the order of times is the wheel: the next time is its first row, so nothing is held in memory,
/// and after a start nothing is to be found again. One node of a cluster does it.
/// </summary>
public abstract partial class DueWorker(MqttBroker broker, TimeProvider clock, ILogger logger) : BackgroundService
{
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>A clock that is set is noticed after this time.</summary>
    static readonly TimeSpan SleepMax = TimeSpan.FromMinutes(1);
    static readonly TimeSpan Slip = TimeSpan.FromMilliseconds(100);

    readonly Bell bell = new();
    readonly Lock gate = new();
    DateTimeOffset next = DateTimeOffset.MinValue;

    /// <summary>Something is due then, which may be before all that is known of. From any thread.</summary>
    public void Note(DateTimeOffset at)
    {
        lock (gate)
        {
            if (at >= next)
                return;
            next = at;
        }
        bell.Ring();
    }

    /// <summary>Does all that is due.</summary>
    /// <returns>When the next is due; null when nothing is.</returns>
    protected abstract ValueTask<DateTimeOffset?> DoDue(DateTimeOffset now, CancellationToken cancel);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            DateTimeOffset? until = null;
            try
            {
                if (broker.LeadsCluster)
                    until = await Turn(stoppingToken);
            }
            catch (Exception failure) when (failure is not (OutOfMemoryException or OperationCanceledException))
            {
                LogFailed(logger, GetType().Name, failure);
                until = clock.GetUtcNow() + LookEvery;
            }
            var now = clock.GetUtcNow();
            // What other nodes noted is not noted here, and this one may have begun to lead.
            var sleepMax = broker.IsClustered ? LookEvery : SleepMax;
            var sleep = until is { } at && at - now < sleepMax ? at - now : sleepMax;
            using var timer = clock.CreateTimer(_ => bell.Ring(), null, sleep > TimeSpan.Zero ? sleep : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            // The clock went on before the timer ran: it would ring too late.
            if (clock.GetUtcNow() - now > Slip)
                bell.Ring();
            await bell.Wait(stoppingToken);
        }
    }

    async ValueTask<DateTimeOffset?> Turn(CancellationToken cancel)
    {
        lock (gate)
            next = DateTimeOffset.MaxValue;
        if (await DoDue(clock.GetUtcNow(), cancel) is not { } first)
            return null;
        lock (gate)
        {
            if (first < next)
                next = first;
        }
        // A millisecond more: the clock must not stand before the time when it rings.
        return first + TimeSpan.FromMilliseconds(1);
    }

    [LoggerMessage(76, LogLevel.Error, "{Worker} could not do what is due; it is tried again")]
    static partial void LogFailed(ILogger logger, string worker, Exception failure);
}
