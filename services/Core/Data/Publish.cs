using Althing.Api;
using Althing.Broker;
using Althing.Core.Authority;
using Althing.Identity;

namespace Althing.Core.Data;

/// <summary>Publishes a message ("Publish" in the data plane's API reference); with QoS 1 the answer comes when it is durable.</summary>
[Operation<IotData>("POST /topics/{topic}", LastLabelTakesSlashes = true)]
sealed class Publish(PlatformPublish publish) : Operation<PublishRequest, EmptyResponse>
{
    protected override Permission Needs(PublishRequest request, Caller caller)
    {
        var arn = caller.ArnOf("iot", "topic/" + request.Topic);
        return new("iot:Publish", arn) { And = request.Retain is true ? new("iot:RetainPublish", arn) : null };
    }

    protected override void Check(PublishRequest request)
    {
        MessageMembers.CheckTopic(request.Topic, "topic");
        if (request.ResponseTopic is { } response)
            MessageMembers.CheckTopic(response, "responseTopic");
        if (request.Payload?.Length > MessageMembers.PayloadBytesMax)
            throw Refuse.InvalidRequest($"The payload has {request.Payload.Length} bytes; {MessageMembers.PayloadBytesMax} are allowed.");
        if (request.MessageExpiry is <= 0 or > uint.MaxValue)
            throw Refuse.InvalidRequest("'messageExpiry' is in seconds, from 1 to 4294967295.");
    }

    protected override async ValueTask<EmptyResponse> Run(PublishRequest request, Caller caller, CancellationToken cancel)
    {
        var message = new OutgoingMessage(request.Topic, request.Payload ?? [])
        {
            QoS = request.Qos ?? 0,
            Retain = request.Retain is true,
            Expiry = request.MessageExpiry is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            ContentType = request.ContentType,
            ResponseTopic = request.ResponseTopic,
            CorrelationData = MessageMembers.CorrelationData(request.CorrelationData),
            PayloadIsUtf8 = request.PayloadFormatIndicator is { } format ? format == "UTF8_DATA" : null,
            UserProperties = MessageMembers.UserProperties(request.UserProperties),
        };
        await publish(caller.Account, message, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record PublishRequest
{
    [Label]
    public required string Topic { get; init; }
    [Query, Range(0, 1)]
    public int? Qos { get; init; }
    [Query]
    public bool? Retain { get; init; }
    [Payload]
    public byte[]? Payload { get; init; }
    [Header("x-amz-mqtt5-user-properties")]
    public string? UserProperties { get; init; }
    [Header("x-amz-mqtt5-payload-format-indicator"), OneOf("UNSPECIFIED_BYTES", "UTF8_DATA")]
    public string? PayloadFormatIndicator { get; init; }
    [Query]
    public string? ContentType { get; init; }
    [Query]
    public string? ResponseTopic { get; init; }
    [Header("x-amz-mqtt5-correlation-data")]
    public string? CorrelationData { get; init; }
    [Query]
    public long? MessageExpiry { get; init; }
}
