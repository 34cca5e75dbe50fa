using System.Collections.Concurrent;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>How fast the clients of one account may connect: what is saved up carries a fleet that comes back at once.</summary>
sealed class ConnectRates(BrokerOptions options, TimeProvider time)
{
    // One for each account that ever connected: as many as there are accounts.
    readonly ConcurrentDictionary<AccountId, Bucket> buckets = new();

    /// <summary>Takes one; false, and when to come again, when the account's clients are too fast.</summary>
    public bool TryTake(AccountId account, out TimeSpan wait)
    {
        wait = TimeSpan.Zero;
        return options.ConnectsPerSecondMax <= 0
            || buckets.GetOrAdd(account, static (_, o) => new(o.ConnectBurst), options).TryTake(options.ConnectsPerSecondMax, options.ConnectBurst, time.GetTimestamp(), time, out wait);
    }

    sealed class Bucket(double full)
    {
        readonly Lock gate = new();
        double left = full;
        long at;

        public bool TryTake(double perSecond, double most, long now, TimeProvider time, out TimeSpan wait)
        {
            lock (gate)
            {
                if (at != 0)
                    left = Math.Min(most, left + time.GetElapsedTime(at, now).TotalSeconds * perSecond);
                at = now;
                wait = left >= 1 ? TimeSpan.Zero : TimeSpan.FromSeconds((1 - left) / perSecond);
                if (left < 1)
                    return false;
                left--;
                return true;
            }
        }
    }
}
