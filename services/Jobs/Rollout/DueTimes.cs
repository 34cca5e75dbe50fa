using Althing.Broker;
using Althing.Core;
using Althing.Jobs.Executions;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Jobs.Rollout;

/// <summary>Ends executions whose timers have run out.</summary>
sealed class DueTimes(IStore store, ExecutionDesk desk, MqttBroker broker, TimeProvider clock, ILogger<DueTimes> logger) : DueWorker(broker, clock, logger)
{
    const int AtOnceMax = 512;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        desk.TimerSet += Note;
        return base.StartAsync(cancellationToken);
    }

    protected override async ValueTask<DateTimeOffset?> DoDue(DateTimeOffset now, CancellationToken cancel)
    {
        while (true)
        {
            var rows = await store.Scan(ExecutionTimer.Table, AccountId.Platform, new() { Limit = AtOnceMax }, cancel);
            var due = rows.TakeWhile(r => r.Value.At <= now).ToList();
            await Task.WhenAll(due.Select(r => desk.Ask(new ExpireRequest(r.Value))));
            if (due.Count < AtOnceMax)
                return rows.Count == due.Count ? null : rows[due.Count].Value.At;
        }
    }

    public override void Dispose()
    {
        desk.TimerSet -= Note;
        base.Dispose();
    }
}
