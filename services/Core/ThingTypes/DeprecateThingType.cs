using Althing.Api;
using Althing.Core.Events;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.ThingTypes;

/// <summary>Closes a type to further things, or opens it again. What it is already, it stays, with its date.</summary>
[Operation<Iot>("POST /thing-types/{thingTypeName}/deprecate")]
sealed class DeprecateThingType(ThingTypeStore types, RegistryCommit commit, TimeProvider clock)
    : Operation<DeprecateThingTypeRequest, EmptyResponse>
{
    protected override Permission Needs(DeprecateThingTypeRequest request, Caller caller) =>
        new("iot:DeprecateThingType", ThingTypeStore.Arn(request.ThingTypeName, caller));

    protected override async ValueTask<EmptyResponse> Run(DeprecateThingTypeRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await types.Require(caller.Account, request.ThingTypeName, cancel);
        var undo = request.UndoDeprecate is true;
        if (row.Value.DeprecatedAt is null == undo)
            return EmptyResponse.Instance;
        var changed = row.Value with { DeprecatedAt = undo ? null : clock.GetUtcNow() };
        await commit.Run(new Batch().Replace(ThingType.Table, row, changed), [RegistryChange.By(caller, RegistryResource.ThingType, RegistryVerb.Updated, changed.Name, detail: changed)], cancel);
        return EmptyResponse.Instance;
    }
}

sealed record DeprecateThingTypeRequest
{
    [Label, Length(1, 128), Pattern(Names.ThingType)]
    public required string ThingTypeName { get; init; }
    public bool? UndoDeprecate { get; init; }
}
