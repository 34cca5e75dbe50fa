using Althing.Api;
using Althing.Core.Events;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.ThingGroups;

/// <summary>Changes a group's description and attributes; what is left out stays. Its place in the hierarchy never changes.</summary>
[Operation<Iot>("PATCH /thing-groups/{thingGroupName}")]
sealed class UpdateThingGroup(ThingGroupStore groups, RegistryCommit commit)
    : Operation<UpdateThingGroupRequest, UpdateThingGroupResponse>
{
    protected override Permission Needs(UpdateThingGroupRequest request, Caller caller) =>
        new("iot:UpdateThingGroup", ThingGroupStore.Arn(request.ThingGroupName, caller));

    protected override async ValueTask<UpdateThingGroupResponse> Run(UpdateThingGroupRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await groups.Require(caller.Account, request.ThingGroupName, cancel);
        var before = row.Value;
        Expect.Version("thing group", before.Name, before.Version, request.ExpectedVersion);
        var after = before with
        {
            Version = before.Version + 1,
            Description = request.ThingGroupProperties.ThingGroupDescription ?? before.Description,
            Attributes = request.ThingGroupProperties.AttributePayload?.ApplyTo(before.Attributes) ?? before.Attributes,
        };
        ThingGroupStore.CheckAttributes(after.Name, after.Attributes ?? new Dictionary<string, string>());
        var detail = new GroupDetail(after, await groups.Ancestors(after, cancel));
        await commit.Run(new Batch().Replace(ThingGroup.Table, row, after), [RegistryChange.By(caller, RegistryResource.ThingGroup, RegistryVerb.Updated, after.Name, detail: detail)], cancel);
        return new() { Version = after.Version };
    }
}

sealed record UpdateThingGroupRequest
{
    [Label, Length(1, 128), Pattern(Names.ThingGroup)]
    public required string ThingGroupName { get; init; }
    public required ThingGroupProperties ThingGroupProperties { get; init; }
    public long? ExpectedVersion { get; init; }
}

sealed record UpdateThingGroupResponse
{
    public long? Version { get; init; }
}
