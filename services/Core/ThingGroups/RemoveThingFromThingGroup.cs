using Althing.Api;
using Althing.Identity;

namespace Althing.Core.ThingGroups;

/// <summary>Takes a thing out of a group; without effect when it is not in it.</summary>
[Operation<Iot>("PUT /thing-groups/removeThingFromThingGroup")]
sealed class RemoveThingFromThingGroup(GroupMemberships memberships) : Operation<RemoveThingFromThingGroupRequest, EmptyResponse>
{
    protected override Permission Needs(RemoveThingFromThingGroupRequest request, Caller caller) => new("iot:RemoveThingFromThingGroup",
        NameOrArn.Arn(request.ThingName, request.ThingArn, "thing", caller),
        NameOrArn.Arn(request.ThingGroupName, request.ThingGroupArn, "thinggroup", caller));

    protected override async ValueTask<EmptyResponse> Run(RemoveThingFromThingGroupRequest request, Caller caller, CancellationToken cancel)
    {
        var thing = NameOrArn.Resolve(request.ThingName, request.ThingArn, "thing", "thing", caller);
        var group = NameOrArn.Resolve(request.ThingGroupName, request.ThingGroupArn, "thinggroup", "thingGroup", caller);
        await memberships.Apply(caller, new(thing) { Remove = [group] }, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record RemoveThingFromThingGroupRequest
{
    [Length(1, 128), Pattern(Names.ThingGroup)]
    public string? ThingGroupName { get; init; }
    public string? ThingGroupArn { get; init; }
    [Length(1, 128), Pattern(Names.Thing)]
    public string? ThingName { get; init; }
    public string? ThingArn { get; init; }
}
