using Althing.Api;

namespace Althing.Core.ThingTypes;

sealed record ThingTypeProperties
{
    [Length(0, 2028), Pattern(Names.Description)]
    public string? ThingTypeDescription { get; init; }
    [Each(LengthMax = 128, Pattern = Names.AttributeName)]
    public IReadOnlyList<string>? SearchableAttributes { get; init; }
    public Mqtt5Configuration? Mqtt5Configuration { get; init; }

    public static ThingTypeProperties Of(ThingType type) => new()
    {
        ThingTypeDescription = type.Description,
        SearchableAttributes = type.SearchableAttributes,
        Mqtt5Configuration = type.Mqtt5,
    };
}

sealed record Mqtt5Configuration
{
    public IReadOnlyList<PropagatingAttribute>? PropagatingAttributes { get; init; }
}

/// <summary>One user property that messages are to carry: an attribute of the thing or of the connection under a key.</summary>
sealed record PropagatingAttribute
{
    [Length(0, 128), Pattern("[a-zA-Z0-9:$.]+")]
    public string? UserPropertyKey { get; init; }
    [Length(0, 128), Pattern(Names.AttributeName)]
    public string? ThingAttribute { get; init; }
    [Length(0, 128), Pattern("[a-zA-Z0-9:.]+")]
    public string? ConnectionAttribute { get; init; }
}

sealed record ThingTypeMetadata
{
    public bool? Deprecated { get; init; }
    public DateTimeOffset? DeprecationDate { get; init; }
    public DateTimeOffset? CreationDate { get; init; }

    public static ThingTypeMetadata Of(ThingType type) =>
        new() { Deprecated = type.DeprecatedAt is not null, DeprecationDate = type.DeprecatedAt, CreationDate = type.CreatedAt };
}
