using Althing.Api;
using Althing.Core.Things;
using Althing.Identity;

namespace Althing.Core.ThingGroups;

/// <summary>Moves a thing between groups in one step: what it leaves makes room for what it joins.</summary>
[Operation<Iot>("PUT /thing-groups/updateThingGroupsForThing")]
sealed class UpdateThingGroupsForThing(GroupMemberships memberships) : Operation<UpdateThingGroupsForThingRequest, EmptyResponse>
{
    protected override Permission Needs(UpdateThingGroupsForThingRequest request, Caller caller) => new("iot:UpdateThingGroupsForThing",
    [
        NameOrArn.Arn(request.ThingName, null, "thing", caller),
        .. from name in (request.ThingGroupsToAdd ?? []).Concat(request.ThingGroupsToRemove ?? []).Distinct(StringComparer.Ordinal)
           select ThingGroupStore.Arn(name, caller),
    ]);

    protected override void Check(UpdateThingGroupsForThingRequest request)
    {
        if (request.ThingName is null)
            throw Refuse.InvalidRequest("Give 'thingName'.");
        if ((request.ThingGroupsToAdd ?? []).Intersect(request.ThingGroupsToRemove ?? []).FirstOrDefault() is { } both)
            throw Refuse.InvalidRequest($"Thing group '{both}' is both in 'thingGroupsToAdd' and in 'thingGroupsToRemove'.");
    }

    protected override async ValueTask<EmptyResponse> Run(UpdateThingGroupsForThingRequest request, Caller caller, CancellationToken cancel)
    {
        var change = new GroupMemberships.Change(request.ThingName!)
        {
            Add = request.ThingGroupsToAdd ?? [],
            Remove = request.ThingGroupsToRemove ?? [],
            OverrideDynamicGroups = request.OverrideDynamicGroups is true,
        };
        await memberships.Apply(caller, change, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record UpdateThingGroupsForThingRequest
{
    [Length(1, 128), Pattern(Names.Thing)]
    public string? ThingName { get; init; }
    [Each(LengthMin = 1, LengthMax = 128, Pattern = Names.ThingGroup)]
    public IReadOnlyList<string>? ThingGroupsToAdd { get; init; }
    [Each(LengthMin = 1, LengthMax = 128, Pattern = Names.ThingGroup)]
    public IReadOnlyList<string>? ThingGroupsToRemove { get; init; }
    public bool? OverrideDynamicGroups { get; init; }
}
