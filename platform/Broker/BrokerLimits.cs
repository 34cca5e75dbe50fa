using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Althing.Broker;

/// <summary>The broker's limits as an administrator writes them: a JSON object with names of <see cref="BrokerOptions"/>.</summary>
public static class BrokerLimits
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.Strict,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        PropertyNameCaseInsensitive = false,
    };

    /// <summary>Limits that may be zero, which sets none.</summary>
    static readonly string[] MayBeZero = [nameof(BrokerOptions.PublishesPerSecondMax), nameof(BrokerOptions.BytesPerSecondMax), nameof(BrokerOptions.ConnectsPerSecondMax),
        nameof(BrokerOptions.QoSMax), nameof(BrokerOptions.TopicAliasMax), nameof(BrokerOptions.OutboundTopicAliasMax), nameof(BrokerOptions.TopicSlashesMax)];

    /// <summary>The names that the object may have.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Properties().Select(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name))];

    /// <summary>What the object does not name stays as it is in <paramref name="otherwise"/>.</summary>
    /// <exception cref="FormatException">It is no such object, or a limit makes no sense; the message says which.</exception>
    public static BrokerOptions Read(string json, BrokerOptions otherwise)
    {
        try
        {
            var all = JsonSerializer.SerializeToNode(otherwise, Json)!.AsObject();
            var documentOptions = new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };
            if (JsonNode.Parse(json, documentOptions: documentOptions) is not JsonObject given)
                throw new FormatException("The limits must be one JSON object.");
            foreach (var (name, value) in given)
            {
                if (!Names.Contains(name, StringComparer.Ordinal))
                    throw new FormatException($"There is no limit '{name}'; there are {string.Join(", ", Names)}.");
                all[name] = value?.DeepClone();
            }
            return Checked(all.Deserialize<BrokerOptions>(Json)!);
        }
        catch (JsonException wrong)
        {
            throw new FormatException($"The limits cannot be read: {wrong.Message}", wrong);
        }
    }

    static BrokerOptions Checked(BrokerOptions limits)
    {
        foreach (var property in Properties())
        {
            var value = property.GetValue(limits);
            var least = MayBeZero.Contains(property.Name, StringComparer.Ordinal) ? 0 : 1;
            if (value is TimeSpan time ? time <= TimeSpan.Zero : value is not bool && Convert.ToInt64(value, CultureInfo.InvariantCulture) < least)
                throw new FormatException($"The limit '{JsonNamingPolicy.CamelCase.ConvertName(property.Name)}' is {value}; it must be {(value is TimeSpan ? "some time" : $"{least} or more")}.");
        }
        if (limits.QoSMax > 2)
            throw new FormatException($"The limit 'qoSMax' is {limits.QoSMax}; MQTT has 0, 1 and 2.");
        if (limits.PacketBytesMax < limits.PayloadBytesMax)
            throw new FormatException($"The limit 'packetBytesMax' is {limits.PacketBytesMax}, less than 'payloadBytesMax', {limits.PayloadBytesMax}: no such payload fits a packet.");
        return limits;
    }

    static IEnumerable<PropertyInfo> Properties() =>
        typeof(BrokerOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.SetMethod is { IsPublic: true });
}
