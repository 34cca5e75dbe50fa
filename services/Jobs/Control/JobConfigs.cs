using Althing.Api;
using Althing.Core;

namespace Althing.Jobs.Control;

/// <summary>What the model does not say of a job's configurations.</summary>
static class JobConfigs
{
    /// <exception cref="ServiceException">InvalidRequestException.</exception>
    public static void Check(
        JobLimits limits, TimeoutConfig? timeout, JobExecutionsRolloutConfig? rollout = null, AbortConfig? abort = null, JobExecutionsRetryConfig? retry = null,
        SchedulingConfig? scheduling = null)
    {
        if (timeout?.InProgressTimeoutInMinutes is { } minutes && (minutes < 1 || minutes > limits.TimeoutMinutesMax))
            throw Refuse.InvalidRequest($"'inProgressTimeoutInMinutes' is {minutes}: 1 to {limits.TimeoutMinutesMax} is allowed.");
        foreach (var (name, given) in new (string, object?)[]
        {
            ("jobExecutionsRolloutConfig", rollout), ("abortConfig", abort), ("jobExecutionsRetryConfig", retry), ("schedulingConfig", scheduling),
        })
        {
            if (given is not null)
                throw Refuse.InvalidRequest($"'{name}' is not served by this platform yet. Leave it out.");
        }
    }

    /// <summary>A job of one namespace is not there for who asks in another one.</summary>
    /// <exception cref="ServiceException">ResourceNotFoundException.</exception>
    public static void CheckNamespace(Job job, string? asked)
    {
        if (asked is not null && asked != job.NamespaceId)
            throw Refuse.ResourceNotFound($"There is no job '{job.Id}' in the namespace '{asked}'.");
    }
}
