using Althing.Storage;

namespace Althing.Core.ThingGroups;

/// <summary>A static thing group; groups form trees by their parents.</summary>
sealed record ThingGroup
{
    public static readonly Table<ThingGroup> Table = new("thing-groups", g => (g.Account, g.Name),
        Index<ThingGroup>.On("parent", g => g.ParentName));

    public required AccountId Account { get; init; }
    public required string Name { get; init; }
    public required string Id { get; init; }
    public required long Version { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public string? ParentName { get; init; }
    public string? Description { get; init; }
    public IReadOnlyDictionary<string, string>? Attributes { get; init; }
}

/// <summary>A thing's direct membership in a group.</summary>
sealed record ThingGroupMember
{
    public static readonly Table<ThingGroupMember> Table = new("thing-group-members", m => (m.Account, Storage.Key.Of(m.GroupName, m.ThingName)),
        Index<ThingGroupMember>.On("thing", m => m.ThingName));

    public required AccountId Account { get; init; }
    public required string GroupName { get; init; }
    public required string ThingName { get; init; }

    /// <summary>Whether a dynamic group may take the place when the thing has reached its limit of groups.</summary>
    public bool OverrideDynamicGroups { get; init; }
}
