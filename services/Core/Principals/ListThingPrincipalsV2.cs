using Althing.Api;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Principals;

/// <summary>A thing's principals with the types of their attachments, or those of one type.</summary>
[Operation<Iot>("GET /things/{thingName}/principals-v2")]
sealed class ListThingPrincipalsV2(ThingStore things, Listing listing) : Operation<ListThingPrincipalsV2Request, ListThingPrincipalsV2Response>
{
    protected override Permission Needs(ListThingPrincipalsV2Request request, Caller caller) =>
        new("iot:ListThingPrincipalsV2", ThingStore.Arn(request.ThingName, caller));

    protected override async ValueTask<ListThingPrincipalsV2Response> Run(ListThingPrincipalsV2Request request, Caller caller, CancellationToken cancel)
    {
        await things.Require(caller.Account, request.ThingName, cancel);
        var scan = request.ThingPrincipalType is { } type
            ? Scan.By("thing-type", Key.Of(request.ThingName, type))
            : Scan.Under(Key.Prefix(request.ThingName));
        var page = await listing.Read(ThingPrincipal.Table, caller, $"ListThingPrincipalsV2 {request.ThingName} {request.ThingPrincipalType}",
            scan, request.NextToken, request.MaxResults, cancel);
        return new()
        {
            ThingPrincipalObjects =
            [
                .. from attached in page.Items
                   select new ThingPrincipalObject { Principal = PrincipalRef.Format(attached.Principal, caller), ThingPrincipalType = attached.Type },
            ],
            NextToken = page.Next,
        };
    }
}

sealed record ThingPrincipalObject
{
    public string? Principal { get; init; }
    public string? ThingPrincipalType { get; init; }
}

sealed record ListThingPrincipalsV2Request
{
    [Query]
    public string? NextToken { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
    [Query, OneOf("EXCLUSIVE_THING", "NON_EXCLUSIVE_THING")]
    public string? ThingPrincipalType { get; init; }
}

sealed record ListThingPrincipalsV2Response
{
    public IReadOnlyList<ThingPrincipalObject>? ThingPrincipalObjects { get; init; }
    public string? NextToken { get; init; }
}
