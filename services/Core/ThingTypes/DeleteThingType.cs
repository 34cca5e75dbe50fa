using Althing.Api;
using Althing.Core.Events;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.ThingTypes;

/// <summary>Deletes a type that has no things and has been deprecated for five minutes.</summary>
/// <remarks>AWS IoT API Reference, "DeleteThingType".</remarks>
[Operation<Iot>("DELETE /thing-types/{thingTypeName}")]
sealed class DeleteThingType(IStore store, ThingTypeStore types, RegistryCommit commit, TimeProvider clock)
    : Operation<DeleteThingTypeRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteThingTypeRequest request, Caller caller) =>
        new("iot:DeleteThingType", ThingTypeStore.Arn(request.ThingTypeName, caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteThingTypeRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await types.Require(caller.Account, request.ThingTypeName, cancel);
        if (row.Value.DeprecatedAt is not { } since)
            throw Refuse.InvalidRequest($"Thing type {row.Value.Name} must be deprecated before it can be deleted: DeprecateThingType does that.");
        var free = since + ThingType.DeprecatedBeforeDeletion;
        if (clock.GetUtcNow() < free)
            throw Refuse.InvalidRequest($"Thing type {row.Value.Name} was deprecated at {since:u}; it can be deleted from {free:u} on, five minutes later.");
        if ((await store.Scan(Thing.Table, caller.Account, Scan.By("type", row.Value.Name) with { Limit = 1 }, cancel)).Count > 0)
            throw Refuse.InvalidRequest($"Cannot delete thing type {row.Value.Name}: there are things associated with it. ListThings with thingTypeName shows them.");
        // No thing can come in between: for that the type's deprecation would have to be lifted, which changes its row.
        var batch = new Batch().Delete(ThingType.Table, row);
        TagStore.Forget(batch, caller.Account, ThingTypeStore.TagKey(row.Value.Name));
        await commit.Run(batch, [RegistryChange.By(caller, RegistryResource.ThingType, RegistryVerb.Deleted, row.Value.Name, detail: row.Value)], cancel);
        return EmptyResponse.Instance;
    }
}

sealed record DeleteThingTypeRequest
{
    [Label, Length(1, 128), Pattern(Names.ThingType)]
    public required string ThingTypeName { get; init; }
}
