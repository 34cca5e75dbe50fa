using Althing.Api;
using Althing.Storage;

namespace Althing.Core.BillingGroups;

/// <summary>A group of things whose usage is to be told apart; a thing is in one at most.</summary>
sealed record BillingGroup
{
    public static readonly Table<BillingGroup> Table = new("billing-groups", g => (g.Account, g.Name));

    public required AccountId Account { get; init; }
    public required string Name { get; init; }
    public required string Id { get; init; }
    public required long Version { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public string? Description { get; init; }

    /// <summary>Set while a deletion looks for things; a thing that is added meanwhile clears it. See <see cref="ThingGroups.ThingGroup.Deleting"/>.</summary>
    public bool Deleting { get; init; }
}

sealed record BillingGroupProperties
{
    [Length(0, 2028), Pattern(Names.Description)]
    public string? BillingGroupDescription { get; init; }
}

sealed record BillingGroupMetadata
{
    public DateTimeOffset? CreationDate { get; init; }
}
