using System.Text.Json;
using Althing.Api;
using Althing.Broker;
using Althing.Identity;

namespace Althing.Core.Data;

[Operation<IotData>("GET /retainedMessage/{topic}")]
sealed class GetRetainedMessage(MqttBroker broker) : Operation<GetRetainedMessageRequest, GetRetainedMessageResponse>
{
    protected override Permission Needs(GetRetainedMessageRequest request, Caller caller) =>
        new("iot:GetRetainedMessage", caller.ArnOf("iot", "topic/" + request.Topic));

    protected override ValueTask<GetRetainedMessageResponse> Run(GetRetainedMessageRequest request, Caller caller, CancellationToken cancel)
    {
        var retained = broker.GetRetained(caller.Account, request.Topic)
            ?? throw Refuse.ResourceNotFound($"The topic '{request.Topic}' has no retained message.");
        return new(new GetRetainedMessageResponse
        {
            Topic = retained.Message.Topic,
            Payload = retained.Message.Payload.ToArray(),
            Qos = retained.Message.QoS,
            LastModifiedTime = retained.Received.ToUnixTimeMilliseconds(),
            UserProperties = UserProperties(retained.Message),
        });
    }

    // A JSON array of one-member objects, which keeps order and repeated names, as Publish takes it.
    static byte[]? UserProperties(OutgoingMessage message) => message.UserProperties.Count == 0
        ? null
        : JsonSerializer.SerializeToUtf8Bytes(message.UserProperties.Select(p => new Dictionary<string, string> { [p.Key] = p.Value }));
}

sealed record GetRetainedMessageRequest
{
    [Label]
    public required string Topic { get; init; }
}

sealed record GetRetainedMessageResponse
{
    public string? Topic { get; init; }
    public byte[]? Payload { get; init; }
    public int? Qos { get; init; }
    public long? LastModifiedTime { get; init; }
    public byte[]? UserProperties { get; init; }
}
