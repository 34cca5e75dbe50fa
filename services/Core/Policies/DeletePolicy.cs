using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Policies;

[Operation<Iot>("DELETE /policies/{policyName}")]
sealed class DeletePolicy(IStore store, PolicyStore policies, RegistryChanges changes) : Operation<DeletePolicyRequest, EmptyResponse>
{
    protected override Permission Needs(DeletePolicyRequest request, Caller caller) =>
        new("iot:DeletePolicy", PolicyStore.Arn(request.PolicyName, caller));

    protected override async ValueTask<EmptyResponse> Run(DeletePolicyRequest request, Caller caller, CancellationToken cancel)
    {
        var policy = await policies.Require(caller.Account, request.PolicyName, cancel);
        if (policy.Value.Versions.Count > 1)
        {
            throw Refuse.DeleteConflict(
                $"Policy '{request.PolicyName}' has versions besides the default. Delete them with DeletePolicyVersion first.");
        }
        if (!policy.Value.Deleting)
        {
            await RefuseAttached(request, caller, cancel);
            await store.Commit(new Batch().Replace(Policy.Table, policy, policy.Value with { Deleting = true }), cancel);
            policy = await policies.Require(caller.Account, request.PolicyName, cancel);
        }
        // From here on an attachment clears the mark, so that this deletion's commit meets a conflict and looks again.
        await RefuseAttached(request, caller, cancel);
        var batch = new Batch().Delete(Policy.Table, policy);
        TagStore.Forget(batch, caller.Account, PolicyStore.TagKey(request.PolicyName));
        await store.Commit(batch, cancel);
        changes.Publish(new(RegistryResource.Policy, RegistryVerb.Deleted, caller.Account, request.PolicyName) { Detail = policy.Value });
        return EmptyResponse.Instance;
    }

    async ValueTask RefuseAttached(DeletePolicyRequest request, Caller caller, CancellationToken cancel)
    {
        var targets = Scan.Under(Key.Prefix(request.PolicyName)) with { Limit = 1 };
        if ((await store.Scan(PolicyAttachment.Table, caller.Account, targets, cancel)).Count > 0)
        {
            throw Refuse.DeleteConflict(
                $"Policy '{request.PolicyName}' is attached to principals or groups. ListTargetsForPolicy shows them; detach it from all first.");
        }
    }
}

sealed record DeletePolicyRequest
{
    [Label, Length(1, 128), Pattern(Names.Policy)]
    public required string PolicyName { get; init; }
}
