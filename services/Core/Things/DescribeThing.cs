using Althing.Api;
using Althing.Identity;

namespace Althing.Core.Things;

[Operation<Iot>("GET /things/{thingName}")]
sealed class DescribeThing(ThingStore things) : Operation<DescribeThingRequest, DescribeThingResponse>
{
    protected override Permission Needs(DescribeThingRequest request, Caller caller) =>
        new("iot:DescribeThing", ThingStore.Arn(request.ThingName, caller));

    protected override async ValueTask<DescribeThingResponse> Run(DescribeThingRequest request, Caller caller, CancellationToken cancel)
    {
        var thing = (await things.Require(caller.Account, request.ThingName, cancel)).Value;
        return new()
        {
            DefaultClientId = thing.Name,
            ThingName = thing.Name,
            ThingId = thing.Id,
            ThingArn = ThingStore.Arn(thing.Name, caller),
            ThingTypeName = thing.TypeName,
            Attributes = thing.Attributes,
            Version = thing.Version,
            BillingGroupName = thing.BillingGroupName,
        };
    }
}

sealed record DescribeThingRequest
{
    [Label, Length(1, 128), Pattern(Names.Thing)]
    public required string ThingName { get; init; }
}

sealed record DescribeThingResponse
{
    public string? DefaultClientId { get; init; }
    public string? ThingName { get; init; }
    public string? ThingId { get; init; }
    public string? ThingArn { get; init; }
    public string? ThingTypeName { get; init; }
    public IReadOnlyDictionary<string, string>? Attributes { get; init; }
    public long? Version { get; init; }
    public string? BillingGroupName { get; init; }
}
