using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Things;

/// <summary>
/// The account's things by name; by value, then name, when an attribute is asked for. Every attribute can be searched, those of typed
/// things too whether or not the type calls them searchable.
/// </summary>
[Operation<Iot>("GET /things")]
sealed class ListThings(Listing listing) : Operation<ListThingsRequest, ListThingsResponse>
{
    protected override Permission Needs(ListThingsRequest request, Caller caller) => new("iot:ListThings");

    protected override void Check(ListThingsRequest request)
    {
        if (request is { AttributeName: null, AttributeValue: not null })
            throw Refuse.InvalidRequest("'attributeValue' needs an 'attributeName'.");
    }

    protected override async ValueTask<ListThingsResponse> Run(ListThingsRequest request, Caller caller, CancellationToken cancel)
    {
        var name = $"ListThings {request.ThingTypeName} {request.AttributeName} {request.UsePrefixAttributeValue} {request.AttributeValue}";
        var page = await listing.Read(Thing.Table, caller, name, ScanFor(request), request.NextToken, request.MaxResults, cancel);
        return new()
        {
            Things =
            [
                .. from thing in page.Items
                   select new ThingAttribute
                   {
                       ThingName = thing.Name,
                       ThingTypeName = thing.TypeName,
                       ThingArn = ThingStore.Arn(thing.Name, caller),
                       Attributes = thing.Attributes,
                       Version = thing.Version,
                   },
            ],
            NextToken = page.Next,
        };
    }

    static Scan ScanFor(ListThingsRequest request)
    {
        if (request.AttributeName is not { } name)
            return request.ThingTypeName is { } only ? Scan.By("type", only) : Scan.All;
        var (index, head) = request.ThingTypeName is { } type ? ("type-attribute", Key.Prefix(type, name)) : ("attribute", Key.Prefix(name));
        return request.AttributeValue is { } value && request.UsePrefixAttributeValue is not true
            ? Scan.By(index, head + value)
            : new() { Index = index, Prefix = head + request.AttributeValue };
    }
}

sealed record ThingAttribute
{
    public string? ThingName { get; init; }
    public string? ThingTypeName { get; init; }
    public string? ThingArn { get; init; }
    public IReadOnlyDictionary<string, string>? Attributes { get; init; }
    public long? Version { get; init; }
}

sealed record ListThingsRequest
{
    [Query]
    public string? NextToken { get; init; }
    [Query, Range(1, 250)]
    public int? MaxResults { get; init; }
    [Query, Length(0, 128), Pattern(Names.AttributeName)]
    public string? AttributeName { get; init; }
    [Query, Length(0, 800), Pattern(Names.AttributeValue)]
    public string? AttributeValue { get; init; }
    [Query, Length(1, 128), Pattern(Names.ThingType)]
    public string? ThingTypeName { get; init; }
    [Query]
    public bool? UsePrefixAttributeValue { get; init; }
}

sealed record ListThingsResponse
{
    public IReadOnlyList<ThingAttribute>? Things { get; init; }
    public string? NextToken { get; init; }
}
