using Althing.Api;
using Althing.Core.Things;
using Althing.Identity;

namespace Althing.Core.ThingGroups;

/// <summary>A group with its place in the hierarchy. What concerns dynamic groups alone is left out: all groups are static.</summary>
[Operation<Iot>("GET /thing-groups/{thingGroupName}")]
sealed class DescribeThingGroup(ThingGroupStore groups) : Operation<DescribeThingGroupRequest, DescribeThingGroupResponse>
{
    protected override Permission Needs(DescribeThingGroupRequest request, Caller caller) =>
        new("iot:DescribeThingGroup", ThingGroupStore.Arn(request.ThingGroupName, caller));

    protected override async ValueTask<DescribeThingGroupResponse> Run(DescribeThingGroupRequest request, Caller caller, CancellationToken cancel)
    {
        var group = (await groups.Require(caller.Account, request.ThingGroupName, cancel)).Value;
        var ancestors = await groups.Ancestors(group, cancel);
        return new()
        {
            ThingGroupName = group.Name,
            ThingGroupId = group.Id,
            ThingGroupArn = ThingGroupStore.Arn(group.Name, caller),
            Version = group.Version,
            ThingGroupProperties = new()
            {
                ThingGroupDescription = group.Description,
                AttributePayload = new() { Attributes = group.Attributes ?? new Dictionary<string, string>() },
            },
            ThingGroupMetadata = new()
            {
                ParentGroupName = group.ParentName,
                RootToParentThingGroups = group.ParentName is null ? null : [.. ancestors.Select(a => GroupNameAndArn.Of(a.Name, caller))],
                CreationDate = group.CreatedAt,
            },
        };
    }
}

sealed record DescribeThingGroupRequest
{
    [Label, Length(1, 128), Pattern(Names.ThingGroup)]
    public required string ThingGroupName { get; init; }
}

sealed record DescribeThingGroupResponse
{
    public string? ThingGroupName { get; init; }
    public string? ThingGroupId { get; init; }
    public string? ThingGroupArn { get; init; }
    public long? Version { get; init; }
    public ThingGroupProperties? ThingGroupProperties { get; init; }
    public ThingGroupMetadata? ThingGroupMetadata { get; init; }
    public string? IndexName { get; init; }
    public string? QueryString { get; init; }
    public string? QueryVersion { get; init; }
    public string? Status { get; init; }
}
