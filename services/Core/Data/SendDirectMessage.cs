using Althing.Api;
using Althing.Broker;
using Althing.Identity;

namespace Althing.Core.Data;

/// <summary>Sends a message to one connected client ("Direct Messaging"), on request waiting until the client acknowledged it.</summary>
[Operation<IotData>("POST /connections/{clientId}/messages")]
sealed class SendDirectMessage(MqttBroker broker) : Operation<SendDirectMessageRequest, SendDirectMessageResponse>
{
    const int TimeoutSecondsDefault = 10;
    const int TimeoutSecondsMax = 60;

    // The topic is the value of iot:Topic in conditions, which the caller's policies are judged with.
    protected override Permission Needs(SendDirectMessageRequest request, Caller caller) =>
        new("iot:SendDirectMessage", caller.ArnOf("iot", "client/" + request.ClientId)) { Context = new Dictionary<string, string> { ["iot:Topic"] = request.Topic } };

    protected override void Check(SendDirectMessageRequest request)
    {
        MessageMembers.CheckTopic(request.Topic, "topic");
        if (request.ResponseTopic is { } response)
            MessageMembers.CheckTopic(response, "responseTopic");
        if (request.Payload?.Length > MessageMembers.PayloadBytesMax)
            throw new ServiceException("RequestEntityTooLargeException", 413, $"The payload has {request.Payload.Length} bytes; {MessageMembers.PayloadBytesMax} are allowed.");
        if (request.Timeout is <= 0 or > TimeoutSecondsMax)
            throw Refuse.InvalidRequest($"'timeout' is in seconds, from 1 to {TimeoutSecondsMax}.");
    }

    protected override async ValueTask<SendDirectMessageResponse> Run(SendDirectMessageRequest request, Caller caller, CancellationToken cancel)
    {
        var message = new OutgoingMessage(request.Topic, request.Payload ?? [])
        {
            ContentType = request.ContentType,
            ResponseTopic = request.ResponseTopic,
            CorrelationData = MessageMembers.CorrelationData(request.CorrelationData),
            PayloadIsUtf8 = request.PayloadFormatIndicator is { } format ? format == "UTF8_DATA" : null,
            UserProperties = MessageMembers.UserProperties(request.UserProperties),
        };
        var patience = request.Confirmation is true ? TimeSpan.FromSeconds(request.Timeout ?? TimeoutSecondsDefault) : (TimeSpan?)null;
        var outcome = await broker.SendDirect(caller.Account, request.ClientId, message, patience, cancel);
        return new() { Message = Say(outcome, request), TraceId = Guid.NewGuid().ToString() };
    }

    static string Say(DirectOutcome outcome, SendDirectMessageRequest request) => outcome switch
    {
        DirectOutcome.Sent => "The message was sent.",
        DirectOutcome.Confirmed => "The client acknowledged the message.",
        DirectOutcome.NotConnected => throw Refuse.ResourceNotFound($"The client '{request.ClientId}' is not connected. Direct messages are not kept for later."),
        DirectOutcome.NotAllowed => throw Refuse.Forbidden($"The policies of the client '{request.ClientId}' do not allow iot:Receive on '{request.Topic}'."),
        DirectOutcome.TooLarge => throw new ServiceException("RequestEntityTooLargeException", 413, $"The client '{request.ClientId}' takes no packets of this size."),
        DirectOutcome.Busy => throw Refuse.TooManyCalls($"The client '{request.ClientId}' has too many messages to acknowledge. Wait and try again."),
        _ => throw new ServiceException("GatewayTimeoutException", 504, $"The client '{request.ClientId}' did not acknowledge the message in time. It may have arrived all the same."),
    };
}

sealed record SendDirectMessageRequest
{
    [Label, Length(1, 128), Pattern(@"^[^$].*")]
    public required string ClientId { get; init; }
    [Query]
    public required string Topic { get; init; }
    [Query]
    public string? ContentType { get; init; }
    [Query]
    public string? ResponseTopic { get; init; }
    [Query]
    public bool? Confirmation { get; init; }
    [Query]
    public int? Timeout { get; init; }
    [Payload]
    public byte[]? Payload { get; init; }
    [Header("x-amz-mqtt5-user-properties")]
    public string? UserProperties { get; init; }
    [Header("x-amz-mqtt5-payload-format-indicator"), OneOf("UNSPECIFIED_BYTES", "UTF8_DATA")]
    public string? PayloadFormatIndicator { get; init; }
    [Header("x-amz-mqtt5-correlation-data")]
    public string? CorrelationData { get; init; }
}

sealed record SendDirectMessageResponse
{
    public string? Message { get; init; }
    public string? TraceId { get; init; }
}
