using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Principals;

/// <summary>A principal's things with the types of their attachments, or those of one type.</summary>
[Operation<Iot>("GET /principals/things-v2")]
sealed class ListPrincipalThingsV2(ThingPrincipalStore principals, Listing listing)
    : Operation<ListPrincipalThingsV2Request, ListPrincipalThingsV2Response>
{
    protected override Permission Needs(ListPrincipalThingsV2Request request, Caller caller) => new("iot:ListPrincipalThingsV2", request.Principal);

    protected override async ValueTask<ListPrincipalThingsV2Response> Run(ListPrincipalThingsV2Request request, Caller caller, CancellationToken cancel)
    {
        var principal = ThingPrincipalStore.Parse(request.Principal, caller);
        await principals.RequireCertificate(principal, request.Principal, caller, cancel);
        var scan = request.ThingPrincipalType is { } type ? Scan.By("principal-type", Key.Of(principal, type)) : Scan.By("principal", principal);
        var page = await listing.Read(ThingPrincipal.Table, caller, $"ListPrincipalThingsV2 {principal} {request.ThingPrincipalType}",
            scan, request.NextToken, request.MaxResults, cancel);
        return new()
        {
            PrincipalThingObjects = [.. page.Items.Select(p => new PrincipalThingObject { ThingName = p.ThingName, ThingPrincipalType = p.Type })],
            NextToken = page.Next,
        };
    }
}

sealed record PrincipalThingObject
{
    public string? ThingName { get; init; }
    public string? ThingPrincipalType { get; init; }
}

sealed record ListPrincipalThingsV2Request
{
    [Query]
    public string? NextToken { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
    [Header("x-amzn-principal")]
    public required string Principal { get; init; }
    [Query, OneOf("EXCLUSIVE_THING", "NON_EXCLUSIVE_THING")]
    public string? ThingPrincipalType { get; init; }
}

sealed record ListPrincipalThingsV2Response
{
    public IReadOnlyList<PrincipalThingObject>? PrincipalThingObjects { get; init; }
    public string? NextToken { get; init; }
}
