using Althing.Api;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Principals;

[Operation<Iot>("DELETE /things/{thingName}/principals")]
sealed class DetachThingPrincipal(IStore store, ThingStore things, RegistryChanges changes) : Operation<DetachThingPrincipalRequest, EmptyResponse>
{
    protected override Permission Needs(DetachThingPrincipalRequest request, Caller caller) =>
        new("iot:DetachThingPrincipal", ThingStore.Arn(request.ThingName, caller));

    protected override async ValueTask<EmptyResponse> Run(DetachThingPrincipalRequest request, Caller caller, CancellationToken cancel)
    {
        var principal = ThingPrincipalStore.Parse(request.Principal, caller);
        await things.Require(caller.Account, request.ThingName, cancel);
        var row = await store.Get(ThingPrincipal.Table, caller.Account, Key.Of(request.ThingName, principal), cancel)
            ?? throw Refuse.ResourceNotFound($"'{request.Principal}' is not attached to the thing '{request.ThingName}'. ListThingPrincipals shows what is.");
        await store.Commit(new Batch().Delete(ThingPrincipal.Table, row), cancel);
        changes.Publish(caller, RegistryResource.ThingPrincipal, RegistryVerb.Deleted, request.ThingName, principal, row.Value);
        return EmptyResponse.Instance;
    }
}

sealed record DetachThingPrincipalRequest
{
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
    [Header("x-amzn-principal")]
    public required string Principal { get; init; }
}
