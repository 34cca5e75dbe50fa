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

    /// <summary>Rates of single operations, as <c>iot:CreateThing</c>, that differ.</summary>
    public IReadOnlyDictionary<string, double> Rates { get; init; } = new Dictionary<string, double>();
}

/// <summary>A token bucket for each account and operation. The number of buckets is bounded by accounts times operations.</summary>
sealed class Throttle(ThrottleOptions options, TimeProvider time)
{
    readonly ConcurrentDictionary<(AccountId, string), Bucket> buckets = new();

    sealed class Bucket
    {
        public double Tokens;
        public long Filled;
    }

    /// <summary>Takes one call; false when there are too many.</summary>
    public bool TryTake(AccountId account, OperationInfo operation)
    {
        var name = $"{operation.Api.Name}:{operation.Name}";
        var (rate, burst) = options.Rates.TryGetValue(name, out var own) ? (own, Math.Max(own, 1)) : (options.CallsPerSecond, options.Burst);
        var bucket = buckets.GetOrAdd((account, name), _ => new() { Tokens = burst, Filled = time.GetTimestamp() });
        lock (bucket)
        {
            var now = time.GetTimestamp();
            bucket.Tokens = Math.Min(burst, bucket.Tokens + (time.GetElapsedTime(bucket.Filled, now).TotalSeconds * rate));
            bucket.Filled = now;
            if (bucket.Tokens < 1)
                return false;
            bucket.Tokens--;
            return true;
        }
    }
}
