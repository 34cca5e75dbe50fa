using Althing.Storage;

namespace Althing.Core.Things;

/// <summary>A device known to the registry.</summary>
sealed record Thing
{
    public static readonly Table<Thing> Table = new("things", t => (t.Account, t.Name),
        Index<Thing>.On("type", t => t.TypeName),
        Index<Thing>.On("billing-group", t => t.BillingGroupName),
        new("attribute", t => t.Attributes.Select(a => Storage.Key.Of(a.Key, a.Value))),
        new("type-attribute", t => t.TypeName is { } type ? t.Attributes.Select(a => Storage.Key.Of(type, a.Key, a.Value)) : []));

    /// <summary>Service quotas: attributes of a thing that has a type, and of one that has none.</summary>
    public const int AttributesMax = 50;
    public const int AttributesWithoutTypeMax = 3;

    public required AccountId Account { get; init; }
    public required string Name { get; init; }

    /// <summary>A UUID that stays the same for the thing's life.</summary>
    public required string Id { get; init; }

    /// <summary>1 when new, one more at each UpdateThing: what <c>expectedVersion</c> is compared with.</summary>
    public required long Version { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public string? TypeName { get; init; }
    public string? BillingGroupName { get; init; }
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();
}
