using Althing.Storage;

namespace Althing.Core.ThingGroups;

/// <summary>A static thing group; groups form trees by their parents.</summary>
sealed record ThingGroup
{
    public static readonly Table<ThingGroup> Table = new("thing-groups", g => (g.Account, g.Name),
        Index<ThingGroup>.On("parent", g => Storage.Key.Of(g.ParentName ?? "", g.Name)));

    /// <summary>Service quotas of thing groups.</summary>
    public const int DepthMax = 7;
    public const int ChildrenMax = 100;
    public const int AttributesMax = 50;
    public const int GroupsPerThingMax = 10;

    public required AccountId Account { get; init; }
    public required string Name { get; init; }
    public required string Id { get; init; }

    /// <summary>1 when new, one more at each UpdateThingGroup: what <c>expectedVersion</c> is compared with.</summary>
    public required long Version { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Never changes.</summary>
    public string? ParentName { get; init; }
    public string? Description { get; init; }
    public IReadOnlyDictionary<string, string>? Attributes { get; init; }

    /// <summary>
    /// Set while a deletion looks for members. A thing that is added meanwhile clears it, and the deletion then sees the thing: so many
    /// things can be added to one group at once without meeting each other.
    /// </summary>
    public bool Deleting { get; init; }
}

/// <summary>A thing's direct membership in a group.</summary>
sealed record ThingGroupMember
{
    public static readonly Table<ThingGroupMember> Table = new("thing-group-members", m => (m.Account, Storage.Key.Of(m.GroupName, m.ThingName)),
        Index<ThingGroupMember>.On("thing", m => m.ThingName));

    public required AccountId Account { get; init; }
    public required string GroupName { get; init; }
    public required string ThingName { get; init; }

    /// <summary>A UUID made anew whenever the thing is added; registry events show it.</summary>
    public string? MembershipId { get; init; }

    /// <summary>Whether a dynamic group may be left when the thing has reached its limit of groups.</summary>
    public bool OverrideDynamicGroups { get; init; }
}

/// <summary>What listeners get of a changed group: the group, and its ancestors from the root down.</summary>
sealed record GroupDetail(ThingGroup Group, IReadOnlyList<ThingGroup> Ancestors);

/// <summary>What listeners get of a parent's gained or lost child.</summary>
sealed record HierarchyDetail(ThingGroup Parent, ThingGroup Child);

/// <summary>What listeners get of a changed membership.</summary>
sealed record MembershipDetail(string? MembershipId, string? GroupId, string ThingId);
