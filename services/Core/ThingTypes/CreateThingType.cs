using Althing.Api;
using Althing.Core.Events;
using Althing.Core.Tags;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.ThingTypes;

/// <summary>Makes a thing type. The same request again succeeds and changes nothing.</summary>
/// <remarks>
/// AWS IoT API Reference, "CreateThingType". The propagating attributes of <c>mqtt5Configuration</c> are kept and shown; the broker does not
/// add them to messages yet.
/// </remarks>
[Operation<Iot>("POST /thing-types/{thingTypeName}")]
sealed class CreateThingType(IStore store, TagStore tags, RegistryCommit commit, TimeProvider clock)
    : Operation<CreateThingTypeRequest, CreateThingTypeResponse>
{
    protected override Permission Needs(CreateThingTypeRequest request, Caller caller) =>
        new("iot:CreateThingType", ThingTypeStore.Arn(request.ThingTypeName, caller));

    protected override void Check(CreateThingTypeRequest request) => ThingTypeStore.Check(request.ThingTypeProperties);

    protected override async ValueTask<CreateThingTypeResponse> Run(CreateThingTypeRequest request, Caller caller, CancellationToken cancel)
    {
        var type = new ThingType
        {
            Account = caller.Account,
            Name = request.ThingTypeName,
            Id = Guid.NewGuid().ToString(),
            CreatedAt = clock.GetUtcNow(),
            Description = request.ThingTypeProperties?.ThingTypeDescription,
            SearchableAttributes = request.ThingTypeProperties?.SearchableAttributes,
            Mqtt5 = request.ThingTypeProperties?.Mqtt5Configuration,
        };
        if (await store.Get(ThingType.Table, caller.Account, type.Name, cancel) is { } existing)
        {
            if (AreSame(existing.Value, type) && await tags.AreSame(caller.Account, ThingTypeStore.TagKey(type.Name), request.Tags, cancel))
                return Answer(existing.Value, caller);
            throw Refuse.ResourceAlreadyExists(
                $"Thing type {type.Name} already exists in current account with different properties or tags.", existing.Value.Id, ThingTypeStore.Arn(type.Name, caller));
        }
        var batch = new Batch().Add(ThingType.Table, type);
        await tags.AddTags(batch, caller.Account, ThingTypeStore.TagKey(type.Name), request.Tags, cancel);
        await commit.Run(batch, [RegistryChange.By(caller, RegistryResource.ThingType, RegistryVerb.Created, type.Name, detail: type)], cancel);
        return Answer(type, caller);
    }

    static bool AreSame(ThingType one, ThingType other) =>
        one.Description == other.Description
        && (one.SearchableAttributes ?? []).Order(StringComparer.Ordinal).SequenceEqual((other.SearchableAttributes ?? []).Order(StringComparer.Ordinal))
        && (one.Mqtt5?.PropagatingAttributes ?? []).SequenceEqual(other.Mqtt5?.PropagatingAttributes ?? []);

    static CreateThingTypeResponse Answer(ThingType type, Caller caller) =>
        new() { ThingTypeName = type.Name, ThingTypeArn = ThingTypeStore.Arn(type.Name, caller), ThingTypeId = type.Id };
}

sealed record CreateThingTypeRequest
{
    [Label, Length(1, 128), Pattern(Names.ThingType)]
    public required string ThingTypeName { get; init; }
    public ThingTypeProperties? ThingTypeProperties { get; init; }
    public IReadOnlyList<Tag>? Tags { get; init; }
}

sealed record CreateThingTypeResponse
{
    public string? ThingTypeName { get; init; }
    public string? ThingTypeArn { get; init; }
    public string? ThingTypeId { get; init; }
}
