using Althing.Api;
using Althing.Core.Events;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.ThingTypes;

/// <summary>Changes a thing type's properties; those that are left out stay as they are.</summary>
[Operation<Iot>("PATCH /thing-types/{thingTypeName}")]
sealed class UpdateThingType(ThingTypeStore types, RegistryCommit commit) : Operation<UpdateThingTypeRequest, EmptyResponse>
{
    protected override Permission Needs(UpdateThingTypeRequest request, Caller caller) =>
        new("iot:UpdateThingType", ThingTypeStore.Arn(request.ThingTypeName, caller));

    protected override void Check(UpdateThingTypeRequest request) => ThingTypeStore.Check(request.ThingTypeProperties);

    protected override async ValueTask<EmptyResponse> Run(UpdateThingTypeRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await types.Require(caller.Account, request.ThingTypeName, cancel);
        var changed = row.Value with
        {
            Description = request.ThingTypeProperties?.ThingTypeDescription ?? row.Value.Description,
            SearchableAttributes = request.ThingTypeProperties?.SearchableAttributes ?? row.Value.SearchableAttributes,
            Mqtt5 = request.ThingTypeProperties?.Mqtt5Configuration ?? row.Value.Mqtt5,
        };
        await commit.Run(new Batch().Replace(ThingType.Table, row, changed), [RegistryChange.By(caller, RegistryResource.ThingType, RegistryVerb.Updated, changed.Name, detail: changed)], cancel);
        return EmptyResponse.Instance;
    }
}

sealed record UpdateThingTypeRequest
{
    [Label, Length(1, 128), Pattern(Names.ThingType)]
    public required string ThingTypeName { get; init; }
    public ThingTypeProperties? ThingTypeProperties { get; init; }
}
