using Althing.Api;
using Althing.Broker;
using Althing.Identity;

namespace Althing.Core.Data;

/// <summary>The subscriptions of a client's session by topic filter, whether or not it is connected.</summary>
[Operation<IotData>("GET /connections/{clientId}/subscriptions")]
sealed class ListSubscriptions(MqttBroker broker, Listing listing) : Operation<ListSubscriptionsRequest, ListSubscriptionsResponse>
{
    protected override Permission Needs(ListSubscriptionsRequest request, Caller caller) =>
        new("iot:ListSubscriptions", caller.ArnOf("iot", "client/" + request.ClientId));

    protected override async ValueTask<ListSubscriptionsResponse> Run(ListSubscriptionsRequest request, Caller caller, CancellationToken cancel)
    {
        var subscriptions = await broker.FindSubscriptions(caller.Account, request.ClientId, cancel)
            ?? throw Refuse.ResourceNotFound($"The client '{request.ClientId}' has neither a connection nor a session.");
        var qos = subscriptions.ToDictionary(s => s.Filter, s => s.QoS, StringComparer.Ordinal);
        var page = listing.Cut(qos.Keys.Order(StringComparer.Ordinal), caller, $"ListSubscriptions {request.ClientId}", request.NextToken, request.MaxResults);
        return new()
        {
            Subscriptions = [.. page.Items.Select(f => new SubscriptionSummary { TopicFilter = f, Qos = qos[f] })],
            NextToken = page.Next,
        };
    }
}

sealed record SubscriptionSummary
{
    public string? TopicFilter { get; init; }
    public int? Qos { get; init; }
}

sealed record ListSubscriptionsRequest
{
    [Label, Length(1, 128), Pattern(@"^[^$].*")]
    public required string ClientId { get; init; }
    [Query]
    public string? NextToken { get; init; }
    [Query, Range(1, 200)]
    public int? MaxResults { get; init; }
}

sealed record ListSubscriptionsResponse
{
    public IReadOnlyList<SubscriptionSummary>? Subscriptions { get; init; }
    public string? NextToken { get; init; }
}
