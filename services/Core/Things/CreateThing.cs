using Althing.Api;
using Althing.Core.BillingGroups;
using Althing.Core.Events;
using Althing.Core.ThingTypes;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Things;

/// <summary>Adds a thing to the registry. The same request again succeeds and changes nothing.</summary>
/// <remarks>AWS IoT API Reference, "CreateThing".</remarks>
[Operation<Iot>("POST /things/{thingName}")]
sealed class CreateThing(IStore store, ThingTypeStore types, BillingGroupStore billing, RegistryCommit commit, TimeProvider clock)
    : Operation<CreateThingRequest, CreateThingResponse>
{
    protected override Permission Needs(CreateThingRequest request, Caller caller)
    {
        var thing = ThingStore.Arn(request.ThingName, caller);
        return request.BillingGroupName is { } group
            ? new("iot:CreateThing", thing, BillingGroupStore.Arn(group, caller))
            : new("iot:CreateThing", thing);
    }

    protected override async ValueTask<CreateThingResponse> Run(CreateThingRequest request, Caller caller, CancellationToken cancel)
    {
        var attributes = (request.AttributePayload ?? new()).ApplyTo(null);
        if (await store.Get(Thing.Table, caller.Account, request.ThingName, cancel) is { } existing)
            return AnswerSame(existing.Value, request, attributes, caller);
        ThingStore.CheckAttributes(request.ThingName, request.ThingTypeName, attributes);
        var thing = new Thing
        {
            Account = caller.Account,
            Name = request.ThingName,
            Id = Guid.NewGuid().ToString(),
            Version = 1,
            CreatedAt = clock.GetUtcNow(),
            TypeName = request.ThingTypeName,
            BillingGroupName = request.BillingGroupName,
            Attributes = attributes,
        };
        var batch = new Batch().Add(Thing.Table, thing);
        if (thing.TypeName is { } type)
            await types.Use(batch, caller.Account, type, cancel);
        if (thing.BillingGroupName is { } group)
            await billing.Use(batch, caller.Account, group, cancel);
        List<RegistryChange> told = [RegistryChange.By(caller, RegistryResource.Thing, RegistryVerb.Created, thing.Name, detail: thing)];
        if (thing.TypeName is not null)
            told.Add(RegistryChange.By(caller, RegistryResource.ThingTypeAssociation, RegistryVerb.Created, thing.Name, thing.TypeName, thing));
        await commit.Run(batch, told, cancel);
        return Answer(thing, caller);
    }

    static CreateThingResponse AnswerSame(Thing thing, CreateThingRequest request, IReadOnlyDictionary<string, string> attributes, Caller caller)
    {
        // The billing group counts only when it is named: a thing may have been put into one since.
        if (thing.TypeName == request.ThingTypeName && AttributePayload.AreEqual(thing.Attributes, attributes)
            && (request.BillingGroupName is null || request.BillingGroupName == thing.BillingGroupName))
            return Answer(thing, caller);
        throw Refuse.ResourceAlreadyExists(
            $"Thing {thing.Name} already exists in account with different attributes, type or billing group. Change it with UpdateThing.",
            thing.Id, ThingStore.Arn(thing.Name, caller));
    }

    static CreateThingResponse Answer(Thing thing, Caller caller) =>
        new() { ThingName = thing.Name, ThingArn = ThingStore.Arn(thing.Name, caller), ThingId = thing.Id };
}

sealed record CreateThingRequest
{
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
    [Length(1, 128), Pattern(Names.ThingType)]
    public string? ThingTypeName { get; init; }
    public AttributePayload? AttributePayload { get; init; }
    [Length(1, 128), Pattern(Names.BillingGroup)]
    public string? BillingGroupName { get; init; }
}

sealed record CreateThingResponse
{
    public string? ThingName { get; init; }
    public string? ThingArn { get; init; }
    public string? ThingId { get; init; }
}
