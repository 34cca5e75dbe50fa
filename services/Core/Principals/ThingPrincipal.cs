using System.Text.Json.Serialization;
using Althing.Storage;

namespace Althing.Core.Principals;

/// <summary>A principal (a certificate, or a Cognito-like identity) attached to a thing.</summary>
sealed record ThingPrincipal
{
    public static readonly Table<ThingPrincipal> Table = new("thing-principals", p => (p.Account, Storage.Key.Of(p.ThingName, p.Principal)),
        Index<ThingPrincipal>.On("principal", p => p.Principal),
        Index<ThingPrincipal>.On("thing-type", p => Storage.Key.Of(p.ThingName, p.Type)),
        Index<ThingPrincipal>.On("principal-type", p => Storage.Key.Of(p.Principal, p.Type)));

    public const string ExclusiveType = "EXCLUSIVE_THING";
    public const string NonExclusiveType = "NON_EXCLUSIVE_THING";

    public required AccountId Account { get; init; }
    public required string ThingName { get; init; }

    /// <summary><c>cert/</c> and the certificate id, or an identity id: see <see cref="PrincipalRef"/>.</summary>
    public required string Principal { get; init; }

    /// <summary>Whether the principal may be attached to this thing alone (EXCLUSIVE_THING) or to several.</summary>
    public required bool Exclusive { get; init; }

    /// <summary>As the API names it.</summary>
    [JsonIgnore]
    public string Type => Exclusive ? ExclusiveType : NonExclusiveType;
}
