using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Althing.Api;
using Althing.Core;

namespace Althing.Jobs.Templates;

/// <summary>
/// Puts the values that a job's creator gives into a template's document. It is done in the parsed document, string by string, so whatever a value
/// holds stays within its string.
/// </summary>
static partial class ParameterValues
{
    static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="ServiceException">InvalidRequestException: a value is missing, unknown, or not what its parameter allows.</exception>
    public static string Fill(string document, IReadOnlyList<DocumentParameter> parameters, IReadOnlyDictionary<string, string> values)
    {
        Check(parameters, values);
        var root = JsonNode.Parse(document);
        FillNode(root, values);
        return root?.ToJsonString(Plain) ?? document;
    }

    static void Check(IReadOnlyList<DocumentParameter> parameters, IReadOnlyDictionary<string, string> values)
    {
        foreach (var key in values.Keys.Where(k => parameters.All(p => p.Key != k)))
            throw Refuse.InvalidRequest($"'{key}' at 'documentParameters' is no parameter of the template{List(parameters)}.");
        foreach (var parameter in parameters)
        {
            if (!values.TryGetValue(parameter.Key, out var value))
            {
                if (!parameter.Optional)
                    throw Refuse.InvalidRequest($"'documentParameters' must have '{parameter.Key}': {parameter.Description}");
            }
            else if (!Regex.IsMatch(value, $@"\A(?:{parameter.Regex})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant))
            {
                throw Refuse.InvalidRequest($"The value of '{parameter.Key}' at 'documentParameters' does not match {parameter.Regex}.");
            }
        }
    }

    static string List(IReadOnlyList<DocumentParameter> parameters) =>
        parameters.Count == 0 ? ", which has none: only managed templates have parameters" : ": it has " + string.Join(", ", parameters.Select(p => p.Key));

    static void FillNode(JsonNode? node, IReadOnlyDictionary<string, string> values)
    {
        if (node is JsonObject members)
        {
            foreach (var (name, member) in members.ToList())
            {
                if (IsLeftOut(member, values))
                    members.Remove(name);
                else if (Filled(member, values) is { } text)
                    members[name] = text;
                else
                    FillNode(member, values);
            }
        }
        else if (node is JsonArray items)
        {
            for (var i = items.Count - 1; i >= 0; i--)
            {
                if (IsLeftOut(items[i], values))
                    items.RemoveAt(i);
                else if (Filled(items[i], values) is { } text)
                    items[i] = text;
                else
                    FillNode(items[i], values);
            }
        }
    }

    /// <summary>It is nothing but a parameter without a value: the device goes by its own default.</summary>
    static bool IsLeftOut(JsonNode? node, IReadOnlyDictionary<string, string> values) =>
        TextOf(node) is { } text && Placeholders().Match(text) is { Success: true } match && match.Length == text.Length && !values.ContainsKey(match.Groups[1].Value);

    static string? Filled(JsonNode? node, IReadOnlyDictionary<string, string> values) => TextOf(node) is not { } text ? null
        : Placeholders().Replace(text, match => values.GetValueOrDefault(match.Groups[1].Value, ""));

    static string? TextOf(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    [GeneratedRegex(@"\$\{aws:iot:parameter:([a-zA-Z0-9_-]+)\}", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholders();
}
