using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Althing.Api;
using Althing.Core;

namespace Althing.Commands.Parameters;

/// <summary>
/// A JSON document with placeholders for what is given when the command is sent ("Create and manage commands", payload template). A text that is
/// nothing but a placeholder becomes the value itself, a number or a truth; within a text it becomes part of the text.
/// </summary>
static partial class PayloadTemplate
{
    const string Prefix = "aws:iot:commandexecution::";
    const string ParameterPrefix = "parameter:";
    const string Timeout = "executionTimeoutSec";
    const int DepthMax = 32;

    static readonly JsonDocumentOptions Strict = new() { MaxDepth = DepthMax, AllowDuplicateProperties = false };

    /// <exception cref="ServiceException">ValidationException when it is not JSON or has a placeholder that nothing is known of.</exception>
    public static void Check(string template, IReadOnlyList<CommandParameter> parameters)
    {
        Parse(template);
        foreach (var name in Placeholders().Matches(template).Select(m => m.Groups["name"].Value))
        {
            var known = name == Timeout || (name.StartsWith(ParameterPrefix, StringComparison.Ordinal) && parameters.Any(p => p.Name == name[ParameterPrefix.Length..]));
            if (!known)
                throw Refuse.Validation($"The placeholder '${{{Prefix}{name}}}' in 'payloadTemplate' names no parameter of 'mandatoryParameters'.");
        }
    }

    /// <summary>The payload for one execution.</summary>
    public static byte[] Fill(string template, string format, IReadOnlyDictionary<string, CommandParameterValue> values, long timeoutSeconds)
    {
        var document = Fill(Parse(template), name => name == Timeout ? JsonValue.Create(timeoutSeconds) : ParameterRules.Json(values[name[ParameterPrefix.Length..]]));
        return format == "JSON" ? JsonSerializer.SerializeToUtf8Bytes(document) : DevicePayload.Write("cbor", document);
    }

    static JsonNode? Parse(string template)
    {
        try
        {
            return JsonNode.Parse(template, documentOptions: Strict);
        }
        catch (JsonException wrong)
        {
            throw Refuse.Validation($"'payloadTemplate' is not JSON (line {wrong.LineNumber + 1}, byte {wrong.BytePositionInLine}).");
        }
    }

    static JsonNode? Fill(JsonNode? node, Func<string, JsonNode> value)
    {
        switch (node)
        {
            case JsonObject members:
                return new JsonObject(members.Select(m => KeyValuePair.Create(m.Key, Fill(m.Value, value))));
            case JsonArray items:
                return new JsonArray([.. items.Select(i => Fill(i, value))]);
            case JsonValue text when text.TryGetValue(out string? given):
                return Placeholders().Match(given) is { Success: true, Index: 0 } whole && whole.Length == given.Length
                    ? value(whole.Groups["name"].Value)
                    : JsonValue.Create(Placeholders().Replace(given, m => Text(value(m.Groups["name"].Value))));
            default:
                return node?.DeepClone();
        }
    }

    static string Text(JsonNode value) => value is JsonValue text && text.TryGetValue(out string? given) ? given : value.ToJsonString();

    [GeneratedRegex(@"\$\{aws:iot:commandexecution::(?<name>[^{}]*)\}", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholders();
}
