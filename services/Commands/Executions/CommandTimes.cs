using Althing.Api;
using Althing.Broker;
using Althing.Core;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Commands.Executions;

/// <summary>Gives executions up in time, forgets those that were kept long enough, and removes commands that waited for their last execution.</summary>
sealed class CommandTimes(IStore store, CommandDesk desk, MqttBroker broker, TimeProvider clock, ILogger<CommandTimes> logger) : DueWorker(broker, clock, logger)
{
    const int AtOnceMax = 512;

    /// <summary>For a command that is to be deleted: no target has such a name.</summary>
    const string OfCommand = "";

    public static CommandTimer Doom(AccountId account, string command, DateTimeOffset at) => new(at, account, OfCommand, command);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        desk.TimerSet += Note;
        return base.StartAsync(cancellationToken);
    }

    protected override async ValueTask<DateTimeOffset?> DoDue(DateTimeOffset now, CancellationToken cancel)
    {
        while (true)
        {
            var rows = await store.Scan(CommandTimer.Table, AccountId.Platform, new() { Limit = AtOnceMax }, cancel);
            var due = rows.TakeWhile(r => r.Value.At <= now).ToList();
            foreach (var row in due)
                await End(row, now, cancel);
            if (due.Count < AtOnceMax)
                return rows.Count == due.Count ? null : rows[due.Count].Value.At;
        }
    }

    async ValueTask End(Row<CommandTimer> timer, DateTimeOffset now, CancellationToken cancel)
    {
        var (account, target, id) = (timer.Value.Account, timer.Value.Target, timer.Value.Id);
        if (target == OfCommand)
        {
            var batch = new Batch().Delete(CommandTimer.Table, timer);
            if (await store.Get(Command.Table, account, id, cancel) is { Value.PendingDeletion: true } doomed)
            {
                batch.Delete(Command.Table, doomed);
                TagStore.Forget(batch, account, Command.TagKey(id));
            }
            await store.Commit(batch, cancel);
        }
        else if (await store.Get(CommandExecution.Table, account, CommandExecution.KeyOf(target, id), cancel) is not { } row || row.Value.DueAt > now)
        {
            await store.Commit(new Batch().Delete(CommandTimer.Table, timer), cancel);
        }
        else if (row.Value.Status is CommandStatus.CREATED or CommandStatus.IN_PROGRESS)
        {
            await desk.Expire(row);
        }
        else
        {
            await store.Commit(new Batch().Delete(CommandTimer.Table, timer).Delete(CommandExecution.Table, row), cancel);
        }
    }

    public override void Dispose()
    {
        desk.TimerSet -= Note;
        base.Dispose();
    }
}
