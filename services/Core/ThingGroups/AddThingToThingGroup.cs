using Althing.Api;
using Althing.Identity;

namespace Althing.Core.ThingGroups;

/// <summary>Adds a thing to a group; without effect when it is in it already.</summary>
/// <remarks>There are no dynamic groups, so <c>overrideDynamicGroups</c> is kept with the membership and has nothing to override.</remarks>
[Operation<Iot>("PUT /thing-groups/addThingToThingGroup")]
sealed class AddThingToThingGroup(GroupMemberships memberships) : Operation<AddThingToThingGroupRequest, EmptyResponse>
{
    protected override Permission Needs(AddThingToThingGroupRequest request, Caller caller) => new("iot:AddThingToThingGroup",
        NameOrArn.Arn(request.ThingName, request.ThingArn, "thing", caller),
        NameOrArn.Arn(request.ThingGroupName, request.ThingGroupArn, "thinggroup", caller));

    protected override async ValueTask<EmptyResponse> Run(AddThingToThingGroupRequest request, Caller caller, CancellationToken cancel)
    {
        var thing = NameOrArn.Resolve(request.ThingName, request.ThingArn, "thing", "thing", caller);
        var group = NameOrArn.Resolve(request.ThingGroupName, request.ThingGroupArn, "thinggroup", "thingGroup", caller);
        await memberships.Apply(caller, new(thing) { Add = [group], OverrideDynamicGroups = request.OverrideDynamicGroups is true }, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record AddThingToThingGroupRequest
{
    [Length(1, 128), Pattern(Names.ThingGroup)]
    public string? ThingGroupName { get; init; }
    public string? ThingGroupArn { get; init; }
    [Length(1, 128), Pattern(Names.Thing)]
    public string? ThingName { get; init; }
    public string? ThingArn { get; init; }
    public bool? OverrideDynamicGroups { get; init; }
}
