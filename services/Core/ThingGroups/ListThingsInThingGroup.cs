using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.ThingGroups;

/// <summary>The things directly in a group, by name; with <c>recursive</c> those in the groups below it too, group after group.</summary>
[Operation<Iot>("GET /thing-groups/{thingGroupName}/things")]
sealed class ListThingsInThingGroup(ThingGroupStore groups, Listing listing) : Operation<ListThingsInThingGroupRequest, ListThingsInThingGroupResponse>
{
    protected override Permission Needs(ListThingsInThingGroupRequest request, Caller caller) =>
        new("iot:ListThingsInThingGroup", ThingGroupStore.Arn(request.ThingGroupName, caller));

    protected override async ValueTask<ListThingsInThingGroupResponse> Run(
        ListThingsInThingGroupRequest request, Caller caller, CancellationToken cancel)
    {
        await groups.Require(caller.Account, request.ThingGroupName, cancel);
        SortedSet<string> listed = request.Recursive is true
            ? await groups.Descendants(caller.Account, request.ThingGroupName, cancel)
            : new(StringComparer.Ordinal);
        listed.Add(request.ThingGroupName);
        var page = await listing.ReadParts(ThingGroupMember.Table, caller, $"ListThingsInThingGroup {request.ThingGroupName} {request.Recursive}",
            listed, group => Scan.Under(Key.Prefix(group)), request.NextToken, request.MaxResults, cancel);
        return new() { Things = [.. page.Items.Select(m => m.ThingName)], NextToken = page.Next };
    }
}

sealed record ListThingsInThingGroupRequest
{
    [Label, Length(1, 128), Pattern(Names.ThingGroup)]
    public required string ThingGroupName { get; init; }
    [Query]
    public bool? Recursive { get; init; }
    [Query]
    public string? NextToken { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
}

sealed record ListThingsInThingGroupResponse
{
    public IReadOnlyList<string>? Things { get; init; }
    public string? NextToken { get; init; }
}
