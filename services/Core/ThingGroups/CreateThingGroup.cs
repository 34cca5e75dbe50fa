using Althing.Api;
using Althing.Core.Events;
using Althing.Core.Tags;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.ThingGroups;

/// <summary>Makes a static group, at the root or below a parent. The same request again succeeds and changes nothing.</summary>
/// <remarks>AWS IoT API Reference, "CreateThingGroup".</remarks>
[Operation<Iot>("POST /thing-groups/{thingGroupName}")]
sealed class CreateThingGroup(IStore store, ThingGroupStore groups, TagStore tags, RegistryCommit commit, TimeProvider clock)
    : Operation<CreateThingGroupRequest, CreateThingGroupResponse>
{
    protected override Permission Needs(CreateThingGroupRequest request, Caller caller)
    {
        var group = ThingGroupStore.Arn(request.ThingGroupName, caller);
        return request.ParentGroupName is { } parent
            ? new("iot:CreateThingGroup", group, ThingGroupStore.Arn(parent, caller))
            : new("iot:CreateThingGroup", group);
    }

    protected override async ValueTask<CreateThingGroupResponse> Run(CreateThingGroupRequest request, Caller caller, CancellationToken cancel)
    {
        var attributes = (request.ThingGroupProperties?.AttributePayload ?? new()).ApplyTo(null);
        ThingGroupStore.CheckAttributes(request.ThingGroupName, attributes);
        var group = new ThingGroup
        {
            Account = caller.Account,
            Name = request.ThingGroupName,
            Id = Guid.NewGuid().ToString(),
            Version = 1,
            CreatedAt = clock.GetUtcNow(),
            ParentName = request.ParentGroupName,
            Description = request.ThingGroupProperties?.ThingGroupDescription,
            Attributes = attributes,
        };
        if (await store.Get(ThingGroup.Table, caller.Account, group.Name, cancel) is { } existing)
            return await AnswerSame(existing.Value, group, request, caller, cancel);
        var batch = new Batch().Add(ThingGroup.Table, group);
        var ancestors = await PlaceBelowParent(batch, group, cancel);
        await tags.AddTags(batch, caller.Account, ThingGroupStore.TagKey(group.Name), request.Tags, cancel);
        List<RegistryChange> told = [RegistryChange.By(caller, RegistryResource.ThingGroup, RegistryVerb.Created, group.Name, detail: new GroupDetail(group, ancestors))];
        if (ancestors is [.., var parent])
            told.Add(RegistryChange.By(caller, RegistryResource.ThingGroupHierarchy, RegistryVerb.Created, group.Name, parent.Name, new HierarchyDetail(parent, group)));
        await commit.Run(batch, told, cancel);
        return Answer(group, caller);
    }

    async ValueTask<IReadOnlyList<ThingGroup>> PlaceBelowParent(Batch batch, ThingGroup group, CancellationToken cancel)
    {
        if (group.ParentName is null)
            return [];
        // The model lets this operation answer no ResourceNotFoundException.
        var parent = await store.Get(ThingGroup.Table, group.Account, group.ParentName, cancel)
            ?? throw Refuse.InvalidRequest($"The parent thing group '{group.ParentName}' is not found. ListThingGroups shows those there are.");
        var ancestors = await groups.Ancestors(group, cancel);
        if (ancestors.Count >= ThingGroup.DepthMax)
            throw Refuse.InvalidRequest($"A hierarchy of thing groups is at most {ThingGroup.DepthMax} deep; '{parent.Value.Name}' is at the bottom already.");
        if (await store.Count(ThingGroup.Table, group.Account, ThingGroupStore.ChildrenOf(parent.Value.Name), cancel) >= ThingGroup.ChildrenMax)
            throw Refuse.InvalidRequest($"A thing group has at most {ThingGroup.ChildrenMax} direct children; '{parent.Value.Name}' has them already.");
        // The parent's row is written again: children made at once, and the parent's deletion, meet each other there.
        batch.Replace(ThingGroup.Table, parent, parent.Value with { Deleting = false });
        return ancestors;
    }

    async ValueTask<CreateThingGroupResponse> AnswerSame(
        ThingGroup existing, ThingGroup wanted, CreateThingGroupRequest request, Caller caller, CancellationToken cancel)
    {
        if (existing.ParentName == wanted.ParentName && existing.Description == wanted.Description
            && AttributePayload.AreEqual(existing.Attributes, wanted.Attributes)
            && await tags.AreSame(caller.Account, ThingGroupStore.TagKey(wanted.Name), request.Tags, cancel))
            return Answer(existing, caller);
        throw Refuse.ResourceAlreadyExists(
            $"Thing group {wanted.Name} already exists in current account with different parent, properties or tags.",
            existing.Id, ThingGroupStore.Arn(wanted.Name, caller));
    }

    static CreateThingGroupResponse Answer(ThingGroup group, Caller caller) =>
        new() { ThingGroupName = group.Name, ThingGroupArn = ThingGroupStore.Arn(group.Name, caller), ThingGroupId = group.Id };
}

sealed record CreateThingGroupRequest
{
    [Label, Length(1, 128), Pattern(Names.ThingGroup)]
    public required string ThingGroupName { get; init; }
    [Length(1, 128), Pattern(Names.ThingGroup)]
    public string? ParentGroupName { get; init; }
    public ThingGroupProperties? ThingGroupProperties { get; init; }
    public IReadOnlyList<Tag>? Tags { get; init; }
}

sealed record CreateThingGroupResponse
{
    public string? ThingGroupName { get; init; }
    public string? ThingGroupArn { get; init; }
    public string? ThingGroupId { get; init; }
}
