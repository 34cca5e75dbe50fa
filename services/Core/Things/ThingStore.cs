using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Things;

/// <summary>What several operations ask of things.</summary>
sealed class ThingStore(IStore store)
{
    public static string Arn(string name, Caller caller) => caller.ArnOf("iot", "thing/" + name);

    /// <exception cref="ServiceException">ResourceNotFoundException.</exception>
    public async ValueTask<Row<Thing>> Require(AccountId account, string name, CancellationToken cancel) =>
        await store.Get(Thing.Table, account, name, cancel)
        ?? throw Refuse.ResourceNotFound($"Thing {name} cannot be found. ListThings shows those there are.");

    /// <summary>Holds a thing to the quota of attributes.</summary>
    /// <exception cref="ServiceException">InvalidRequestException.</exception>
    public static void CheckAttributes(string name, string? typeName, IReadOnlyDictionary<string, string> attributes)
    {
        if (typeName is null && attributes.Count > Thing.AttributesWithoutTypeMax)
        {
            throw Refuse.InvalidRequest(
                $"A thing without a type has at most {Thing.AttributesWithoutTypeMax} attributes; '{name}' would have {attributes.Count}. Give it a thing type.");
        }
        if (attributes.Count > Thing.AttributesMax)
            throw Refuse.InvalidRequest($"A thing has at most {Thing.AttributesMax} attributes; '{name}' would have {attributes.Count}.");
    }
}
