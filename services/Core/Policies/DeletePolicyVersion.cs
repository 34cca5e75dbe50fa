using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Policies;

[Operation<Iot>("DELETE /policies/{policyName}/version/{policyVersionId}")]
sealed class DeletePolicyVersion(IStore store, PolicyStore policies, RegistryChanges changes, TimeProvider clock)
    : Operation<DeletePolicyVersionRequest, EmptyResponse>
{
    protected override Permission Needs(DeletePolicyVersionRequest request, Caller caller) =>
        new("iot:DeletePolicyVersion", PolicyStore.Arn(request.PolicyName, caller));

    protected override async ValueTask<EmptyResponse> Run(DeletePolicyVersionRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await policies.Require(caller.Account, request.PolicyName, cancel);
        var policy = row.Value;
        var version = PolicyStore.RequireVersion(policy, request.PolicyVersionId);
        if (version.Version == policy.DefaultVersion)
        {
            throw Refuse.DeleteConflict(
                $"Cannot delete the default version of a policy: {version.Id} is the default of '{policy.Name}'. Make another the default with SetDefaultPolicyVersion, or delete the policy.");
        }
        var changed = policy with { Versions = [.. policy.Versions.Where(v => v != version)], LastModifiedAt = clock.GetUtcNow() };
        await store.Commit(new Batch().Replace(Policy.Table, row, changed), cancel);
        changes.Publish(new(RegistryResource.Policy, RegistryVerb.Updated, caller.Account, policy.Name) { Detail = changed });
        return EmptyResponse.Instance;
    }
}

sealed record DeletePolicyVersionRequest
{
    [Label, Length(1, 128), Pattern(Names.Policy)]
    public required string PolicyName { get; init; }
    [Label, Pattern(Names.PolicyVersion)]
    public required string PolicyVersionId { get; init; }
}
