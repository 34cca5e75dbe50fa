using Althing.Api;
using Althing.Core.Things;
using Althing.Identity;

namespace Althing.Core.ThingGroups;

sealed record ThingGroupProperties
{
    [Length(0, 2028), Pattern(Names.Description)]
    public string? ThingGroupDescription { get; init; }
    public AttributePayload? AttributePayload { get; init; }
}

sealed record ThingGroupMetadata
{
    public string? ParentGroupName { get; init; }
    public IReadOnlyList<GroupNameAndArn>? RootToParentThingGroups { get; init; }
    public DateTimeOffset? CreationDate { get; init; }
}

/// <summary>How listings show thing groups and billing groups.</summary>
sealed record GroupNameAndArn
{
    public string? GroupName { get; init; }
    public string? GroupArn { get; init; }

    public static GroupNameAndArn Of(string thingGroupName, Caller caller) =>
        new() { GroupName = thingGroupName, GroupArn = ThingGroupStore.Arn(thingGroupName, caller) };
}
