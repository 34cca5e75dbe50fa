using Althing.Core.Things;
using Althing.Storage;

namespace Althing.Core.ThingTypes;

/// <summary>What things of one kind have in common.</summary>
sealed record ThingType
{
    public static readonly Table<ThingType> Table = new("thing-types", t => (t.Account, t.Name));

    /// <summary>"Thing types": so long a type must be deprecated before it can be deleted.</summary>
    public static readonly TimeSpan DeprecatedBeforeDeletion = TimeSpan.FromMinutes(5);

    /// <summary>Service quota "Maximum number of searchable attributes of a thing type".</summary>
    public const int SearchableAttributesMax = 3;

    public required AccountId Account { get; init; }
    public required string Name { get; init; }
    public required string Id { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public string? Description { get; init; }
    public IReadOnlyList<string>? SearchableAttributes { get; init; }

    /// <summary>What the broker is to add to messages of this type's things as user properties.</summary>
    public Mqtt5Configuration? Mqtt5 { get; init; }

    /// <summary>When it was deprecated; null when it was not.</summary>
    public DateTimeOffset? DeprecatedAt { get; init; }
}
