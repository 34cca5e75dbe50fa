using Althing.Api;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.ThingGroups;

/// <summary>The groups that a thing is directly in, by name.</summary>
[Operation<Iot>("GET /things/{thingName}/thing-groups")]
sealed class ListThingGroupsForThing(ThingStore things, Listing listing) : Operation<ListThingGroupsForThingRequest, ListThingGroupsForThingResponse>
{
    protected override Permission Needs(ListThingGroupsForThingRequest request, Caller caller) =>
        new("iot:ListThingGroupsForThing", ThingStore.Arn(request.ThingName, caller));

    protected override async ValueTask<ListThingGroupsForThingResponse> Run(
        ListThingGroupsForThingRequest request, Caller caller, CancellationToken cancel)
    {
        await things.Require(caller.Account, request.ThingName, cancel);
        var page = await listing.Read(ThingGroupMember.Table, caller, $"ListThingGroupsForThing {request.ThingName}",
            Scan.By("thing", request.ThingName), request.NextToken, request.MaxResults, cancel);
        return new() { ThingGroups = [.. page.Items.Select(m => GroupNameAndArn.Of(m.GroupName, caller))], NextToken = page.Next };
    }
}

sealed record ListThingGroupsForThingRequest
{
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
    [Query]
    public string? NextToken { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
}

sealed record ListThingGroupsForThingResponse
{
    public IReadOnlyList<GroupNameAndArn>? ThingGroups { get; init; }
    public string? NextToken { get; init; }
}
