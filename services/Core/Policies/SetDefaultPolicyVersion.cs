using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Policies;

[Operation<Iot>("PATCH /policies/{policyName}/version/{policyVersionId}")]
sealed class SetDefaultPolicyVersion(IStore store, PolicyStore policies, RegistryChanges changes, TimeProvider clock)
    : Operation<SetDefaultPolicyVersionRequest, EmptyResponse>
{
    protected override Permission Needs(SetDefaultPolicyVersionRequest request, Caller caller) =>
        new("iot:SetDefaultPolicyVersion", PolicyStore.Arn(request.PolicyName, caller));

    protected override async ValueTask<EmptyResponse> Run(SetDefaultPolicyVersionRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await policies.Require(caller.Account, request.PolicyName, cancel);
        var version = PolicyStore.RequireVersion(row.Value, request.PolicyVersionId);
        var changed = row.Value with { DefaultVersion = version.Version, LastModifiedAt = clock.GetUtcNow() };
        await store.Commit(new Batch().Replace(Policy.Table, row, changed), cancel);
        changes.Publish(new(RegistryResource.Policy, RegistryVerb.Updated, caller.Account, changed.Name) { Detail = changed });
        return EmptyResponse.Instance;
    }
}

sealed record SetDefaultPolicyVersionRequest
{
    [Label, Length(1, 128), Pattern(Names.Policy)]
    public required string PolicyName { get; init; }
    [Label, Pattern(Names.PolicyVersion)]
    public required string PolicyVersionId { get; init; }
}
