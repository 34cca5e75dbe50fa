using System.Collections.Concurrent;
using Althing.Storage;

namespace Althing.Api;

/// <summary>How many calls an account may make.</summary>
public sealed record ThrottleOptions
{
    /// <summary>Calls a second of one operation by one account in the long run. Above every documented quota of AWS, because here the owner pays nobody.</summary>
    public double CallsPerSecond { get; init; } = 5000;

    /// <summary>Calls at once before the rate counts.</summary>
    public double Burst { get; init; } = 10_000;

    /// <summary>Rates of single operations, as <c>iot:CreateThing</c>, that differ. Their burst is one second's calls.</summary>
    public IReadOnlyDictionary<string, double> Rates { get; init; } = new Dictionary<string, double>();
}

/// <summary>A token bucket for each account and operation that was called lately.</summary>
sealed class Throttle(ThrottleOptions options, TimeProvider time)
{
    /// <summary>More buckets than this are first cleared of those that are full again, which say nothing.</summary>
    const int BucketsMax = 50_000;

    readonly ConcurrentDictionary<(AccountId, OperationInfo), Bucket> buckets = new();

    sealed class Bucket
    {
        public double Tokens;
        public long Filled;
    }

    /// <summary>Takes one call; false when there are too many.</summary>
    /// <param name="wait">How long until there is room for one.</param>
    public bool TryTake(AccountId account, OperationInfo operation, out TimeSpan wait)
    {
        var (rate, burst) = Limits(operation);
        var now = time.GetTimestamp();
        if (!buckets.TryGetValue((account, operation), out var bucket))
        {
            if (buckets.Count >= BucketsMax)
                Clear(now);
            bucket = buckets.GetOrAdd((account, operation), _ => new() { Tokens = burst, Filled = now });
        }
        lock (bucket)
        {
            bucket.Tokens = Math.Min(burst, bucket.Tokens + (time.GetElapsedTime(bucket.Filled, now).TotalSeconds * rate));
            bucket.Filled = now;
            if (bucket.Tokens < 1)
            {
                wait = TimeSpan.FromSeconds((1 - bucket.Tokens) / rate);
                return false;
            }
            bucket.Tokens--;
            wait = TimeSpan.Zero;
            return true;
        }
    }

    internal int Buckets => buckets.Count;

    (double Rate, double Burst) Limits(OperationInfo operation) =>
        options.Rates.Count > 0 && options.Rates.TryGetValue($"{operation.Api.Name}:{operation.Name}", out var own)
            ? (own, Math.Max(own, 1))
            : (options.CallsPerSecond, options.Burst);

    void Clear(long now)
    {
        foreach (var (key, bucket) in buckets)
        {
            var (rate, burst) = Limits(key.Item2);
            if (bucket.Tokens + (time.GetElapsedTime(bucket.Filled, now).TotalSeconds * rate) >= burst)
                buckets.TryRemove(key, out _);
        }
    }
}
