using Althing.Api;
using Althing.Core.Tags;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.BillingGroups;

/// <summary>Makes a billing group. The same request again succeeds and changes nothing.</summary>
[Operation<Iot>("POST /billing-groups/{billingGroupName}")]
sealed class CreateBillingGroup(IStore store, TagStore tags, RegistryChanges changes, TimeProvider clock)
    : Operation<CreateBillingGroupRequest, CreateBillingGroupResponse>
{
    protected override Permission Needs(CreateBillingGroupRequest request, Caller caller) =>
        new("iot:CreateBillingGroup", BillingGroupStore.Arn(request.BillingGroupName, caller));

    protected override async ValueTask<CreateBillingGroupResponse> Run(CreateBillingGroupRequest request, Caller caller, CancellationToken cancel)
    {
        var group = new BillingGroup
        {
            Account = caller.Account,
            Name = request.BillingGroupName,
            Id = Guid.NewGuid().ToString(),
            Version = 1,
            CreatedAt = clock.GetUtcNow(),
            Description = request.BillingGroupProperties?.BillingGroupDescription,
        };
        if (await store.Get(BillingGroup.Table, caller.Account, group.Name, cancel) is { } existing)
        {
            if (existing.Value.Description == group.Description && await tags.AreSame(caller.Account, BillingGroupStore.TagKey(group.Name), request.Tags, cancel))
                return Answer(existing.Value, caller);
            throw Refuse.ResourceAlreadyExists(
                $"Billing group {group.Name} already exists in current account with different properties or tags.",
                existing.Value.Id, BillingGroupStore.Arn(group.Name, caller));
        }
        var batch = new Batch().Add(BillingGroup.Table, group);
        await tags.AddTags(batch, caller.Account, BillingGroupStore.TagKey(group.Name), request.Tags, cancel);
        await store.Commit(batch, cancel);
        changes.Publish(caller, RegistryResource.BillingGroup, RegistryVerb.Created, group.Name, detail: group);
        return Answer(group, caller);
    }

    static CreateBillingGroupResponse Answer(BillingGroup group, Caller caller) =>
        new() { BillingGroupName = group.Name, BillingGroupArn = BillingGroupStore.Arn(group.Name, caller), BillingGroupId = group.Id };
}

sealed record CreateBillingGroupRequest
{
    [Label, Length(1, 128), Pattern(Names.BillingGroup)]
    public required string BillingGroupName { get; init; }
    public BillingGroupProperties? BillingGroupProperties { get; init; }
    public IReadOnlyList<Tag>? Tags { get; init; }
}

sealed record CreateBillingGroupResponse
{
    public string? BillingGroupName { get; init; }
    public string? BillingGroupArn { get; init; }
    public string? BillingGroupId { get; init; }
}
