using Althing.Api;
using Althing.Core;
using Althing.Identity;

namespace Althing.Jobs.Control;

/// <summary>The targets that a request names.</summary>
static class TargetReader
{
    /// <exception cref="ServiceException">InvalidRequestException for what is no target; ResourceNotFoundException for one that is not there.</exception>
    public static async ValueTask<IReadOnlyList<JobTarget>> Read(IRegistry registry, IReadOnlyList<string> arns, Caller caller, CancellationToken cancel)
    {
        List<JobTarget> targets = [];
        foreach (var arn in arns.Distinct(StringComparer.Ordinal))
        {
            var (name, isGroup) = JobArn.TargetOf(arn, caller);
            if (isGroup)
            {
                var group = await registry.FindGroup(caller.Account, name, cancel) ?? throw Refuse.ResourceNotFound($"There is no thing group '{name}'.");
                targets.Add(new(group.Name, group.Id));
            }
            else if (await registry.FindThing(caller.Account, name, cancel) is null)
            {
                throw Refuse.ResourceNotFound($"There is no thing '{name}'.");
            }
            else
            {
                targets.Add(new(name, null));
            }
        }
        return targets;
    }
}
