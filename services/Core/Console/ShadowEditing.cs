using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Design;

namespace Althing.Core.Console;

/// <summary>A value of a shadow as the console lists it.</summary>
/// <param name="Path">Such as <c>valve.open</c>.</param>
/// <param name="Desired">Its JSON; null when nothing is desired.</param>
/// <param name="Reported">Its JSON; null when nothing is reported.</param>
/// <param name="Differs">It is desired and not so.</param>
/// <param name="Changed">Seconds since 1970 of the later of both times.</param>
sealed record ShadowValue(string Path, string? Desired, string? Reported, bool Differs, long? Changed);

/// <summary>A shadow's document as people look at it and write it.</summary>
static class ShadowEditing
{
    static readonly JsonSerializerOptions Lines = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    static readonly JsonSerializerOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>The values of both parts, in the order of their names.</summary>
    public static IReadOnlyList<ShadowValue> Values(JsonNode document)
    {
        List<ShadowValue> values = [];
        var (state, times) = (document["state"], document["metadata"]);
        Add(values, "", state?["desired"], state?["reported"], times?["desired"], times?["reported"]);
        return values;
    }

    static void Add(List<ShadowValue> values, string path, JsonNode? desired, JsonNode? reported, JsonNode? desiredTimes, JsonNode? reportedTimes)
    {
        if (desired is not (null or JsonObject) || reported is not (null or JsonObject))
        {
            var later = new[] { Latest(desiredTimes), Latest(reportedTimes) }.Max();
            values.Add(new(path, Text(desired), Text(reported), desired is not null && !JsonNode.DeepEquals(desired, reported), later));
            return;
        }
        var names = Names(desired).Union(Names(reported)).Order(StringComparer.Ordinal);
        foreach (var name in names)
            Add(values, path.Length == 0 ? name : $"{path}.{name}", Of(desired, name), Of(reported, name), Of(desiredTimes, name), Of(reportedTimes, name));

        static IEnumerable<string> Names(JsonNode? node) => node is JsonObject members ? members.Select(m => m.Key) : [];

        static JsonNode? Of(JsonNode? node, string name) => (node as JsonObject)?[name];
    }

    static string? Text(JsonNode? node) => node?.ToJsonString(OneLine);

    static long? Latest(JsonNode? times) => times switch
    {
        JsonObject members when members["timestamp"] is JsonValue time && members.Count == 1 && time.TryGetValue<long>(out var seconds) => seconds,
        JsonObject members => members.Select(m => Latest(m.Value)).Max(),
        JsonArray items => items.Select(Latest).Max(),
        _ => null,
    };

    /// <summary>Both parts as text to be edited.</summary>
    public static string Write(JsonNode? state)
    {
        var both = new JsonObject { ["desired"] = state?["desired"]?.DeepClone() ?? new JsonObject() };
        if (state?["reported"] is { } reported)
            both["reported"] = reported.DeepClone();
        return both.ToJsonString(Lines);
    }

    public static IReadOnlyList<CodeProblem> Check(string text)
    {
        try
        {
            if (JsonNode.Parse(text, documentOptions: Strict) is not JsonObject both)
                return [new(1, 1, "This must be an object with 'desired' and 'reported'.", true)];
            return
            [
                .. both.Where(m => m.Key is not ("desired" or "reported")).Select(m => new CodeProblem(0, 0, $"'{m.Key}' is neither 'desired' nor 'reported'.", true)),
                .. both.Where(m => m.Key is "desired" or "reported" && m.Value is not (null or JsonObject)).Select(m => new CodeProblem(0, 0, $"'{m.Key}' must be an object.", true)),
            ];
        }
        catch (JsonException bad)
        {
            return [new((int)(bad.LineNumber ?? 0) + 1, (int)(bad.BytePositionInLine ?? 0) + 1, "This is not JSON.", true)];
        }
    }

    /// <summary>The update that makes the state what the text says: what is not in the text any more is taken away.</summary>
    public static JsonObject Patch(JsonNode? state, string text)
    {
        var (edited, patch) = (JsonNode.Parse(text, documentOptions: Strict)!, new JsonObject());
        foreach (var part in new[] { "desired", "reported" })
        {
            var (before, after) = (state?[part] as JsonObject, edited[part] as JsonObject);
            if (after is null or { Count: 0 })
            {
                if (before is not null)
                    patch[part] = null;
            }
            else if (Patch(before ?? [], after) is { Count: > 0 } changes)
            {
                patch[part] = changes;
            }
        }
        return patch;
    }

    static JsonObject Patch(JsonObject before, JsonObject after)
    {
        var patch = new JsonObject(before.Where(m => !after.ContainsKey(m.Key)).Select(m => KeyValuePair.Create(m.Key, (JsonNode?)null)));
        foreach (var (name, value) in after)
        {
            if (value is JsonObject inner && before[name] is JsonObject old)
            {
                if (Patch(old, inner) is { Count: > 0 } changes)
                    patch[name] = changes;
            }
            else if (!JsonNode.DeepEquals(value, before[name]))
            {
                patch[name] = value?.DeepClone();
            }
        }
        return patch;
    }
}
