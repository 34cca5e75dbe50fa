using Althing.Api;
using Althing.Core.Tags;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Policies;

[Operation<Iot>("POST /policies/{policyName}")]
sealed class CreatePolicy(IStore store, TagStore tags, RegistryChanges changes, TimeProvider clock) : Operation<CreatePolicyRequest, CreatePolicyResponse>
{
    protected override Permission Needs(CreatePolicyRequest request, Caller caller) =>
        new("iot:CreatePolicy", PolicyStore.Arn(request.PolicyName, caller));

    protected override void Check(CreatePolicyRequest request) => PolicyStore.CheckDocument(request.PolicyDocument);

    protected override async ValueTask<CreatePolicyResponse> Run(CreatePolicyRequest request, Caller caller, CancellationToken cancel)
    {
        var arn = PolicyStore.Arn(request.PolicyName, caller);
        if (await store.Get(Policy.Table, caller.Account, request.PolicyName, cancel) is not null)
        {
            throw Refuse.ResourceAlreadyExists(
                $"Policy cannot be created - name already exists (name={request.PolicyName})", request.PolicyName, arn);
        }
        var now = clock.GetUtcNow();
        var policy = new Policy
        {
            Account = caller.Account,
            Name = request.PolicyName,
            GenerationId = Guid.NewGuid().ToString(),
            CreatedAt = now,
            LastModifiedAt = now,
            DefaultVersion = 1,
            LastVersion = 1,
            Versions = [new(1, request.PolicyDocument, now)],
        };
        var batch = new Batch().Add(Policy.Table, policy);
        await tags.AddTags(batch, caller.Account, PolicyStore.TagKey(policy.Name), request.Tags, cancel);
        await store.Commit(batch, cancel);
        changes.Publish(new(RegistryResource.Policy, RegistryVerb.Created, caller.Account, policy.Name) { Detail = policy });
        return new()
        {
            PolicyName = policy.Name,
            PolicyArn = arn,
            PolicyDocument = request.PolicyDocument,
            PolicyVersionId = "1",
        };
    }
}

sealed record CreatePolicyRequest
{
    [Label, Length(1, 128), Pattern(Names.Policy)]
    public required string PolicyName { get; init; }
    [Length(0, 404600), Pattern(@"[\s\S]*")]
    public required string PolicyDocument { get; init; }
    public IReadOnlyList<Tag>? Tags { get; init; }
}

sealed record CreatePolicyResponse
{
    public string? PolicyName { get; init; }
    public string? PolicyArn { get; init; }
    public string? PolicyDocument { get; init; }
    public string? PolicyVersionId { get; init; }
}
