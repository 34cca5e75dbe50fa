using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Policies;

[Operation<Iot>("POST /policies/{policyName}/version")]
sealed class CreatePolicyVersion(IStore store, PolicyStore policies, RegistryChanges changes, TimeProvider clock)
    : Operation<CreatePolicyVersionRequest, CreatePolicyVersionResponse>
{
    protected override Permission Needs(CreatePolicyVersionRequest request, Caller caller) =>
        new("iot:CreatePolicyVersion", PolicyStore.Arn(request.PolicyName, caller));

    protected override void Check(CreatePolicyVersionRequest request) => PolicyStore.CheckDocument(request.PolicyDocument);

    protected override async ValueTask<CreatePolicyVersionResponse> Run(CreatePolicyVersionRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await policies.Require(caller.Account, request.PolicyName, cancel);
        var policy = row.Value;
        if (policy.Versions.Count >= Policy.VersionsMax)
        {
            throw Refuse.VersionsLimitExceeded(
                $"The policy {policy.Name} already has the maximum number of versions ({Policy.VersionsMax}). Delete one with DeletePolicyVersion first.");
        }
        var version = new PolicyVersion(policy.LastVersion + 1, request.PolicyDocument, clock.GetUtcNow());
        var isDefault = request.SetAsDefault is true;
        var changed = policy with
        {
            Versions = [.. policy.Versions, version],
            LastVersion = version.Version,
            DefaultVersion = isDefault ? version.Version : policy.DefaultVersion,
            LastModifiedAt = version.CreatedAt,
        };
        await store.Commit(new Batch().Replace(Policy.Table, row, changed), cancel);
        changes.Publish(new(RegistryResource.Policy, RegistryVerb.Updated, caller.Account, policy.Name) { Detail = changed });
        return new()
        {
            PolicyArn = PolicyStore.Arn(policy.Name, caller),
            PolicyDocument = version.Document,
            PolicyVersionId = version.Id,
            IsDefaultVersion = isDefault,
        };
    }
}

sealed record CreatePolicyVersionRequest
{
    [Label, Length(1, 128), Pattern(Names.Policy)]
    public required string PolicyName { get; init; }
    [Length(0, 404600), Pattern(@"[\s\S]*")]
    public required string PolicyDocument { get; init; }
    [Query]
    public bool? SetAsDefault { get; init; }
}

sealed record CreatePolicyVersionResponse
{
    public string? PolicyArn { get; init; }
    public string? PolicyDocument { get; init; }
    public string? PolicyVersionId { get; init; }
    public bool? IsDefaultVersion { get; init; }
}
