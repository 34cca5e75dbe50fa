using System.Text;
using System.Text.Json;

namespace Althing.Core.Data;

/// <summary>The members that requests have which send a message.</summary>
static class MessageMembers
{
    /// <summary>Service quotas of the message broker: payload, topic and its slashes.</summary>
    public const int PayloadBytesMax = 128 * 1024;
    const int TopicBytesMax = 256;
    const int SlashesMax = 7;

    /// <exception cref="Api.ServiceException">InvalidRequestException.</exception>
    public static void CheckTopic(string topic, string member)
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

    public static byte[] CorrelationData(string? header)
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
    public static List<KeyValuePair<string, string>> UserProperties(string? header)
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
