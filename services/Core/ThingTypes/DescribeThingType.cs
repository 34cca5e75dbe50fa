using Althing.Api;
using Althing.Identity;

namespace Althing.Core.ThingTypes;

[Operation<Iot>("GET /thing-types/{thingTypeName}")]
sealed class DescribeThingType(ThingTypeStore types) : Operation<DescribeThingTypeRequest, DescribeThingTypeResponse>
{
    protected override Permission Needs(DescribeThingTypeRequest request, Caller caller) =>
        new("iot:DescribeThingType", ThingTypeStore.Arn(request.ThingTypeName, caller));

    protected override async ValueTask<DescribeThingTypeResponse> Run(DescribeThingTypeRequest request, Caller caller, CancellationToken cancel)
    {
        var type = (await types.Require(caller.Account, request.ThingTypeName, cancel)).Value;
        return new()
        {
            ThingTypeName = type.Name,
            ThingTypeId = type.Id,
            ThingTypeArn = ThingTypeStore.Arn(type.Name, caller),
            ThingTypeProperties = ThingTypeProperties.Of(type),
            ThingTypeMetadata = ThingTypeMetadata.Of(type),
        };
    }
}

sealed record DescribeThingTypeRequest
{
    [Label, Length(1, 128), Pattern(Names.ThingType)]
    public required string ThingTypeName { get; init; }
}

sealed record DescribeThingTypeResponse
{
    public string? ThingTypeName { get; init; }
    public string? ThingTypeId { get; init; }
    public string? ThingTypeArn { get; init; }
    public ThingTypeProperties? ThingTypeProperties { get; init; }
    public ThingTypeMetadata? ThingTypeMetadata { get; init; }
}
