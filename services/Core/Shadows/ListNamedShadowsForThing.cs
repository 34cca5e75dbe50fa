using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Shadows;

/// <summary>The names of a thing's named shadows, in order.</summary>
[Operation<IotData>("GET /api/things/shadow/ListNamedShadowsForThing/{thingName}")]
sealed class ListNamedShadowsForThing(Listing listing, TimeProvider clock) : Operation<ListNamedShadowsForThingRequest, ListNamedShadowsForThingResponse>
{
    protected override Permission Needs(ListNamedShadowsForThingRequest request, Caller caller) =>
        new("iot:ListNamedShadowsForThing", caller.ArnOf("iot", "thing/" + request.ThingName));

    protected override async ValueTask<ListNamedShadowsForThingResponse> Run(ListNamedShadowsForThingRequest request, Caller caller, CancellationToken cancel)
    {
        var page = await listing.Read(Shadow.Table, caller, "ListNamedShadowsForThing " + request.ThingName, Scan.By("named", request.ThingName), request.NextToken, request.PageSize, cancel);
        return new() { Results = [.. page.Items.Select(s => s.ShadowName)], NextToken = page.Next, Timestamp = clock.GetUtcNow().ToUnixTimeSeconds() };
    }
}

sealed record ListNamedShadowsForThingRequest
{
    [Label, Length(1, 128), Pattern("[a-zA-Z0-9:_-]+")]
    public required string ThingName { get; init; }
    [Query]
    public string? NextToken { get; init; }
    [Query, Range(1, 100)]
    public int? PageSize { get; init; }
}

sealed record ListNamedShadowsForThingResponse
{
    public IReadOnlyList<string>? Results { get; init; }
    public string? NextToken { get; init; }
    public long? Timestamp { get; init; }
}
