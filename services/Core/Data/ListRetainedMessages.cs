using Althing.Api;
using Althing.Broker;
using Althing.Identity;

namespace Althing.Core.Data;

/// <summary>The account's retained messages by topic.</summary>
[Operation<IotData>("GET /retainedMessage")]
sealed class ListRetainedMessages(MqttBroker broker, Listing listing) : Operation<ListRetainedMessagesRequest, ListRetainedMessagesResponse>
{
    protected override Permission Needs(ListRetainedMessagesRequest request, Caller caller) => new("iot:ListRetainedMessages");

    protected override ValueTask<ListRetainedMessagesResponse> Run(ListRetainedMessagesRequest request, Caller caller, CancellationToken cancel)
    {
        var all = broker.ListRetained(caller.Account).ToDictionary(r => r.Message.Topic, StringComparer.Ordinal);
        var page = listing.Cut(all.Keys.Order(StringComparer.Ordinal), caller, "ListRetainedMessages", request.NextToken, request.MaxResults);
        return new(new ListRetainedMessagesResponse { RetainedTopics = [.. page.Items.Select(t => Summary(all[t]))], NextToken = page.Next });
    }

    static RetainedMessageSummary Summary(RetainedMessage retained) => new()
    {
        Topic = retained.Message.Topic,
        PayloadSize = retained.Message.Payload.Length,
        Qos = retained.Message.QoS,
        LastModifiedTime = retained.Received.ToUnixTimeMilliseconds(),
    };
}

sealed record RetainedMessageSummary
{
    public string? Topic { get; init; }
    public long? PayloadSize { get; init; }
    public int? Qos { get; init; }
    public long? LastModifiedTime { get; init; }
}

sealed record ListRetainedMessagesRequest
{
    [Query]
    public string? NextToken { get; init; }
    [Query, Range(1, 200)]
    public int? MaxResults { get; init; }
}

sealed record ListRetainedMessagesResponse
{
    public IReadOnlyList<RetainedMessageSummary>? RetainedTopics { get; init; }
    public string? NextToken { get; init; }
}
