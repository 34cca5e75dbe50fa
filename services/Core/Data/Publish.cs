using System.Text;
using System.Text.Json;
using Althing.Api;
using Althing.Broker;
using Althing.Core.Authority;
using Althing.Identity;

namespace Althing.Core.Data;

/// <summary>Publishes a message ("Publish" in the data plane's API reference); with QoS 1 the answer comes when it is durable.</summary>
[Operation<IotData>("POST /topics/{topic}", LastLabelTakesSlashes = true)]
sealed class Publish(PlatformPublish publish) : Operation<PublishRequest, EmptyResponse>
{
    /// <summary>Service quotas of the message broker: payload, topic and its slashes.</summary>
    const int PayloadBytesMax = 128 * 1024;
    const int TopicBytesMax = 256;
    const int SlashesMax = 7;

    protected override Permission Needs(PublishRequest request, Caller caller)
    {
        var arn = caller.ArnOf("iot", "topic/" + request.Topic);
        return new("iot:Publish", arn) { And = request.Retain is true ? new("iot:RetainPublish", arn) : null };
    }

    protected override void Check(PublishRequest request)
    {
        CheckTopic(request.Topic, "topic");
        if (request.ResponseTopic is { } response)
            CheckTopic(response, "responseTopic");
        if (request.Payload?.Length > PayloadBytesMax)
            throw Refuse.InvalidRequest($"The payload has {request.Payload.Length} bytes; {PayloadBytesMax} are allowed.");
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
            CorrelationData = CorrelationData(request.CorrelationData),
            PayloadIsUtf8 = request.PayloadFormatIndicator is { } format ? format == "UTF8_DATA" : null,
            UserProperties = UserProperties(request.UserProperties),
        };
        await publish(caller.Account, message, cancel);
        return EmptyResponse.Instance;
    }

    static void CheckTopic(string topic, string member)
    {
        if (topic.Length == 0 || topic.AsSpan().ContainsAny('+', '#', '\0'))
            throw Refuse.InvalidRequest($"'{member}' must be a topic without the wildcards + and #.");
        if (Encoding.UTF8.GetByteCount(topic) > TopicBytesMax)
            throw Refuse.InvalidRequest($"'{member}' has {Encoding.UTF8.GetByteCount(topic)} bytes; {TopicBytesMax} are allowed.");
        if (topic.StartsWith('$') && (!topic.StartsWith("$aws/", StringComparison.Ordinal) || topic.StartsWith("$aws/events/", StringComparison.Ordinal)))
            throw Refuse.InvalidRequest($"'{member}' {topic} is reserved: only the platform publishes there.");
        // The quota is about what follows the reserved part: $aws/rules/NAME/ and $aws/things/NAME/ have three slashes of their own.
        var slashes = topic.Count(c => c == '/');
        if (slashes > (topic.StartsWith('$') ? SlashesMax + 3 : SlashesMax))
            throw Refuse.InvalidRequest($"'{member}' has {slashes} slashes; {SlashesMax} are allowed.");
    }

    static byte[] CorrelationData(string? header)
    {
        try
        {
            return header is null ? [] : Convert.FromBase64String(header);
        }
        catch (FormatException)
        {
            throw Refuse.InvalidRequest("The header x-amz-mqtt5-correlation-data must be base64.");
        }
    }

    // A base64-encoded JSON array of one-member objects, which keeps order and repeated names: [{"a":"1"},{"a":"2"}].
    static List<KeyValuePair<string, string>> UserProperties(string? header)
    {
        if (header is null)
            return [];
        try
        {
            using var json = JsonDocument.Parse(Convert.FromBase64String(header), new() { MaxDepth = 3 });
            return
            [
                .. from item in json.RootElement.EnumerateArray()
                   from property in item.EnumerateObject()
                   select KeyValuePair.Create(property.Name, property.Value.GetString() ?? throw new FormatException()),
            ];
        }
        catch (Exception refusal) when (refusal is FormatException or JsonException or InvalidOperationException)
        {
            throw Refuse.InvalidRequest("The header x-amz-mqtt5-user-properties must be a base64-encoded JSON array such as [{\"name\":\"value\"}].");
        }
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
