using System.Collections.Concurrent;

namespace Althing.Broker;

/// <summary>
/// QoS 2 messages that came from other nodes of late: one that comes again, because its node died before it knew that it had come, is not
/// taken twice. The log has them too, so that they are known after a crash.
/// </summary>
sealed class TakenMessages(MessageLog log, TimeProvider time)
{
    /// <summary>A dead node's log is read, and what it owed sent again, long before.</summary>
    static readonly TimeSpan Kept = TimeSpan.FromMinutes(1);

    readonly ConcurrentDictionary<string, (long LogId, DateTimeOffset At)> taken = new(StringComparer.Ordinal);

    /// <summary>False when it was taken before.</summary>
    public bool TryTake(string key) => taken.TryAdd(key, (0, time.GetUtcNow()));

    /// <summary>Notes its record in the log.</summary>
    public void Keep(string key, long logId) => taken[key] = (logId, time.GetUtcNow());

    public void Forget(string key) => taken.TryRemove(key, out _);

    public void Upkeep()
    {
        var now = time.GetUtcNow();
        foreach (var (key, (logId, at)) in taken)
        {
            if (now - at > Kept && taken.TryRemove(key, out _) && logId != 0)
                _ = log.Complete(logId).ContinueWith(static t => _ = t.Exception, TaskScheduler.Default);
        }
    }
}
