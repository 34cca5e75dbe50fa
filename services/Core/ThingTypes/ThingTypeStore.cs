using Althing.Api;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.ThingTypes;

/// <summary>What several operations ask of thing types.</summary>
sealed class ThingTypeStore(IStore store)
{
    /// <summary>The connection attributes that can be propagated ("PropagatingAttribute").</summary>
    static readonly string[] ConnectionAttributes = ["iot:ClientId", "iot:Thing.ThingName"];

    public static string Arn(string name, Caller caller) => caller.ArnOf("iot", "thingtype/" + name);

    /// <summary>What the type's tags are kept under.</summary>
    public static string TagKey(string name) => "iot:thingtype/" + name;

    /// <exception cref="ServiceException">ResourceNotFoundException.</exception>
    public async ValueTask<Row<ThingType>> Require(AccountId account, string name, CancellationToken cancel) =>
        await store.Get(ThingType.Table, account, name, cancel)
        ?? throw Refuse.ResourceNotFound($"Thing type {name} is not found. ListThingTypes shows those there are.");

    /// <summary>
    /// Adds to a batch that associates a thing with the type the condition that it is still as it was. A type that is not deprecated cannot
    /// be deleted for minutes, so things of one type need not meet each other.
    /// </summary>
    /// <exception cref="ServiceException">ResourceNotFoundException, InvalidRequestException for a deprecated type.</exception>
    public async ValueTask Use(Batch batch, AccountId account, string name, CancellationToken cancel)
    {
        var row = await Require(account, name, cancel);
        if (row.Value.DeprecatedAt is not null)
            throw Refuse.InvalidRequest($"Thing type {name} is deprecated: no thing can be associated with it. DeprecateThingType with undoDeprecate lifts that.");
        batch.Require(ThingType.Table, row);
    }

    /// <exception cref="ServiceException">InvalidRequestException.</exception>
    public static void Check(ThingTypeProperties? properties)
    {
        if (properties?.SearchableAttributes is { } searchable)
        {
            if (searchable.Count > ThingType.SearchableAttributesMax)
                throw Refuse.InvalidRequest($"A thing type has at most {ThingType.SearchableAttributesMax} searchable attributes; {searchable.Count} are given.");
            if (searchable.Distinct(StringComparer.Ordinal).Count() < searchable.Count)
                throw Refuse.InvalidRequest("A searchable attribute is given twice.");
        }
        foreach (var attribute in properties?.Mqtt5Configuration?.PropagatingAttributes ?? [])
        {
            if (attribute.UserPropertyKey is not { Length: > 0 } key)
                throw Refuse.InvalidRequest("Each of 'propagatingAttributes' needs a 'userPropertyKey'.");
            if (attribute.ThingAttribute is null == attribute.ConnectionAttribute is null)
                throw Refuse.InvalidRequest($"The propagating attribute '{key}' needs either a 'thingAttribute' or a 'connectionAttribute'.");
            if (attribute.ConnectionAttribute is { } connection && !ConnectionAttributes.Contains(connection))
                throw Refuse.InvalidRequest($"'connectionAttribute' may be {string.Join(" or ", ConnectionAttributes)}; '{connection}' is neither.");
        }
    }
}
