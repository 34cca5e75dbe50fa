using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.ThingTypes;

/// <summary>The account's thing types by name, or the one that is named.</summary>
[Operation<Iot>("GET /thing-types")]
sealed class ListThingTypes(IStore store, Listing listing) : Operation<ListThingTypesRequest, ListThingTypesResponse>
{
    protected override Permission Needs(ListThingTypesRequest request, Caller caller) => new("iot:ListThingTypes");

    protected override async ValueTask<ListThingTypesResponse> Run(ListThingTypesRequest request, Caller caller, CancellationToken cancel)
    {
        if (request.ThingTypeName is { } name)
        {
            var row = await store.Get(ThingType.Table, caller.Account, name, cancel);
            return new() { ThingTypes = row is { } found ? [ThingTypeDefinition.Of(found.Value, caller)] : [] };
        }
        var page = await listing.Read(ThingType.Table, caller, "ListThingTypes", Scan.All, request.NextToken, request.MaxResults, cancel);
        return new() { ThingTypes = [.. page.Items.Select(t => ThingTypeDefinition.Of(t, caller))], NextToken = page.Next };
    }
}

sealed record ThingTypeDefinition
{
    public string? ThingTypeName { get; init; }
    public string? ThingTypeArn { get; init; }
    public ThingTypeProperties? ThingTypeProperties { get; init; }
    public ThingTypeMetadata? ThingTypeMetadata { get; init; }

    public static ThingTypeDefinition Of(ThingType type, Caller caller) => new()
    {
        ThingTypeName = type.Name,
        ThingTypeArn = ThingTypeStore.Arn(type.Name, caller),
        ThingTypeProperties = ThingTypeProperties.Of(type),
        ThingTypeMetadata = ThingTypeMetadata.Of(type),
    };
}

sealed record ListThingTypesRequest
{
    [Query]
    public string? NextToken { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
    [Query, Length(1, 128), Pattern(Names.ThingType)]
    public string? ThingTypeName { get; init; }
}

sealed record ListThingTypesResponse
{
    public IReadOnlyList<ThingTypeDefinition>? ThingTypes { get; init; }
    public string? NextToken { get; init; }
}
