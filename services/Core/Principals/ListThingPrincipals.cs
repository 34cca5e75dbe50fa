using Althing.Api;
using Althing.Core.Things;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Principals;

[Operation<Iot>("GET /things/{thingName}/principals")]
sealed class ListThingPrincipals(ThingStore things, Listing listing) : Operation<ListThingPrincipalsRequest, ListThingPrincipalsResponse>
{
    protected override Permission Needs(ListThingPrincipalsRequest request, Caller caller) =>
        new("iot:ListThingPrincipals", ThingStore.Arn(request.ThingName, caller));

    protected override async ValueTask<ListThingPrincipalsResponse> Run(ListThingPrincipalsRequest request, Caller caller, CancellationToken cancel)
    {
        await things.Require(caller.Account, request.ThingName, cancel);
        var page = await listing.Read(ThingPrincipal.Table, caller, $"ListThingPrincipals {request.ThingName}",
            Scan.Under(Key.Prefix(request.ThingName)), request.NextToken, request.MaxResults, cancel);
        return new() { Principals = [.. page.Items.Select(p => PrincipalRef.Format(p.Principal, caller))], NextToken = page.Next };
    }
}

sealed record ListThingPrincipalsRequest
{
    [Query]
    public string? NextToken { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
}

sealed record ListThingPrincipalsResponse
{
    public IReadOnlyList<string>? Principals { get; init; }
    public string? NextToken { get; init; }
}
