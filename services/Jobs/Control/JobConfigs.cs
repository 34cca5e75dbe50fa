using Althing.Api;
using Althing.Core;

namespace Althing.Jobs.Control;

/// <summary>What the model does not say of a job's configurations ("How job configurations work").</summary>
static class JobConfigs
{
    /// <summary>What no job can be made with yet. Templates keep it.</summary>
    /// <exception cref="ServiceException">InvalidRequestException.</exception>
    public static void CheckServed(
        JobLimits limits, TimeoutConfig? timeout, JobExecutionsRolloutConfig? rollout = null, AbortConfig? abort = null, JobExecutionsRetryConfig? retry = null,
        SchedulingConfig? scheduling = null)
    {
        Check(limits, timeout, null, null, null, null);
        foreach (var (name, given) in new (string, object?)[]
        {
            ("jobExecutionsRolloutConfig", rollout), ("abortConfig", abort), ("jobExecutionsRetryConfig", retry), ("schedulingConfig", scheduling),
        })
        {
            if (given is not null)
                throw Refuse.InvalidRequest($"'{name}' is not served by this platform yet. Leave it out.");
        }
    }

    /// <exception cref="ServiceException">InvalidRequestException.</exception>
    public static void Check(
        JobLimits limits, TimeoutConfig? timeout, JobExecutionsRolloutConfig? rollout, AbortConfig? abort, JobExecutionsRetryConfig? retry,
        IReadOnlyList<MaintenanceWindow>? windows)
    {
        if (timeout?.InProgressTimeoutInMinutes is { } minutes && (minutes < 1 || minutes > limits.TimeoutMinutesMax))
            throw Refuse.InvalidRequest($"'inProgressTimeoutInMinutes' is {minutes}: 1 to {limits.TimeoutMinutesMax} is allowed.");
        if (rollout is not null)
            Check(limits, rollout);
        foreach (var criterion in abort?.CriteriaList ?? [])
        {
            if (criterion.ThresholdPercentage <= 0 || !HasDigits(criterion.ThresholdPercentage, 2))
                throw Refuse.InvalidRequest($"'thresholdPercentage' is {criterion.ThresholdPercentage}: more than 0, with at most two digits behind the point, is allowed.");
        }
        if (retry is not null)
            Check(limits, retry);
        if (windows is not null)
            throw Refuse.InvalidRequest("'maintenanceWindows' is not served by this platform yet. Leave it out.");
    }

    static void Check(JobLimits limits, JobExecutionsRolloutConfig rollout)
    {
        if (rollout.MaximumPerMinute > limits.RolloutPerMinuteMax)
            throw Refuse.InvalidRequest($"'maximumPerMinute' is {rollout.MaximumPerMinute}: 1 to {limits.RolloutPerMinuteMax} is allowed.");
        if (rollout.ExponentialRate is not { } rate)
            return;
        if (rate.BaseRatePerMinute > rollout.MaximumPerMinute)
            throw Refuse.InvalidRequest($"'baseRatePerMinute' is {rate.BaseRatePerMinute}, more than 'maximumPerMinute', which is {rollout.MaximumPerMinute}.");
        if (!HasDigits(rate.IncrementFactor, 1))
            throw Refuse.InvalidRequest($"'incrementFactor' is {rate.IncrementFactor}: at most one digit behind the point is allowed.");
        if (rate.RateIncreaseCriteria is { NumberOfNotifiedThings: null, NumberOfSucceededThings: null })
            throw Refuse.InvalidRequest("'rateIncreaseCriteria' must have 'numberOfNotifiedThings' or 'numberOfSucceededThings'.");
    }

    static void Check(JobLimits limits, JobExecutionsRetryConfig retry)
    {
        var types = retry.CriteriaList.Select(c => c.FailureType).ToHashSet();
        if (types.Count < retry.CriteriaList.Count || (types.Contains("ALL") && types.Count > 1))
            throw Refuse.InvalidRequest("'jobExecutionsRetryConfig' must name each failure type once; ALL stands for all of them and alone.");
        if (retry.CriteriaList.Sum(c => c.NumberOfRetries) is var all && all > limits.RetriesMax)
            throw Refuse.InvalidRequest($"'jobExecutionsRetryConfig' has {all} retries: {limits.RetriesMax} of all types together are allowed.");
    }

    static bool HasDigits(double number, int digits) => Math.Abs(Math.Round(number, digits) - number) < 1e-9;

    /// <summary>A job of one namespace is not there for who asks in another one.</summary>
    /// <exception cref="ServiceException">ResourceNotFoundException.</exception>
    public static void CheckNamespace(Job job, string? asked)
    {
        if (asked is not null && asked != job.NamespaceId)
            throw Refuse.ResourceNotFound($"There is no job '{job.Id}' in the namespace '{asked}'.");
    }
}
