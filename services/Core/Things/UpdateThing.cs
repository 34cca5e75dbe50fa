using Althing.Api;
using Althing.Core.Events;
using Althing.Core.ThingTypes;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Things;

/// <summary>Changes a thing's attributes and type. Each call that succeeds raises its version by one.</summary>
/// <remarks>AWS IoT API Reference, "UpdateThing".</remarks>
[Operation<Iot>("PATCH /things/{thingName}")]
sealed class UpdateThing(ThingStore things, ThingTypeStore types, RegistryCommit commit) : Operation<UpdateThingRequest, EmptyResponse>
{
    protected override Permission Needs(UpdateThingRequest request, Caller caller) =>
        new("iot:UpdateThing", ThingStore.Arn(request.ThingName, caller));

    protected override void Check(UpdateThingRequest request)
    {
        if (request is { RemoveThingType: true, ThingTypeName: not null })
            throw Refuse.InvalidRequest("'removeThingType' and 'thingTypeName' contradict each other. Give one of them.");
    }

    protected override async ValueTask<EmptyResponse> Run(UpdateThingRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await things.Require(caller.Account, request.ThingName, cancel);
        var before = row.Value;
        Expect.Version("thing", before.Name, before.Version, request.ExpectedVersion);
        var after = before with
        {
            Version = before.Version + 1,
            TypeName = request.RemoveThingType is true ? null : request.ThingTypeName ?? before.TypeName,
            Attributes = request.AttributePayload?.ApplyTo(before.Attributes) ?? before.Attributes,
        };
        ThingStore.CheckAttributes(after.Name, after.TypeName, after.Attributes);
        var batch = new Batch().Replace(Thing.Table, row, after);
        // A thing keeps a type that was deprecated meanwhile; only new associations are refused.
        if (after.TypeName is { } type && type != before.TypeName)
            await types.Use(batch, caller.Account, type, cancel);
        await commit.Run(batch, Told(caller, before, after), cancel);
        return EmptyResponse.Instance;
    }

    static List<RegistryChange> Told(Caller caller, Thing before, Thing after)
    {
        List<RegistryChange> told = [RegistryChange.By(caller, RegistryResource.Thing, RegistryVerb.Updated, after.Name, detail: after)];
        if (before.TypeName == after.TypeName)
            return told;
        if (before.TypeName is not null)
            told.Add(RegistryChange.By(caller, RegistryResource.ThingTypeAssociation, RegistryVerb.Deleted, after.Name, before.TypeName, after));
        if (after.TypeName is not null)
            told.Add(RegistryChange.By(caller, RegistryResource.ThingTypeAssociation, RegistryVerb.Created, after.Name, after.TypeName, after));
        return told;
    }
}

sealed record UpdateThingRequest
{
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
    [Length(1, 128), Pattern(Names.ThingType)]
    public string? ThingTypeName { get; init; }
    public AttributePayload? AttributePayload { get; init; }
    public long? ExpectedVersion { get; init; }
    public bool? RemoveThingType { get; init; }
}
