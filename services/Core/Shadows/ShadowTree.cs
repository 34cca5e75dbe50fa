using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Althing.Core.Shadows;

/// <summary>
/// What is done with the JSON trees of shadows: merging, times of values, differences. Arrays are values: they are replaced and compared
/// whole ("Device Shadow service documents").
/// </summary>
static class ShadowTree
{
    /// <summary>As devices expect it: text stays as it was written, unescaped where JSON allows it.</summary>
    static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Write(JsonObject document) => JsonSerializer.SerializeToUtf8Bytes(document, Json);

    /// <summary>Puts the patch's values into the state and their time into its times. A null takes away what stands there.</summary>
    public static void Merge(JsonObject state, JsonObject times, JsonObject patch, long now)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null)
            {
                state.Remove(name);
                times.Remove(name);
            }
            else if (value is JsonObject inner)
            {
                if (state[name] is not JsonObject || times[name] is not JsonObject)
                    (state[name], times[name]) = (new JsonObject(), new JsonObject());
                Merge((JsonObject)state[name]!, (JsonObject)times[name]!, inner, now);
            }
            else
            {
                (state[name], times[name]) = (value.DeepClone(), Stamp(value, now));
            }
        }
    }

    /// <summary>The tree of a value with the time in place of each value; null for one that has none.</summary>
    public static JsonNode? Stamp(JsonNode? value, long now) => value switch
    {
        null => null,
        JsonObject inner => new JsonObject(inner.Where(m => m.Value is not null).Select(m => KeyValuePair.Create(m.Key, Stamp(m.Value, now)))),
        JsonArray items => new JsonArray([.. items.Select(i => Stamp(i, now))]),
        _ => new JsonObject { ["timestamp"] = now },
    };

    /// <summary>What is wanted and is not so, with the times at which it was wanted; null when there is nothing.</summary>
    public static (JsonObject State, JsonObject Times)? Delta(JsonObject? desired, JsonObject? desiredTimes, JsonObject? reported)
    {
        if (desired is null)
            return null;
        var (state, times) = (new JsonObject(), new JsonObject());
        foreach (var (name, wanted) in desired)
        {
            var actual = reported?[name];
            if (wanted is JsonObject inner && actual is JsonObject reportedInner)
            {
                if (Delta(inner, desiredTimes?[name] as JsonObject, reportedInner) is { } part)
                    (state[name], times[name]) = (part.State, part.Times);
            }
            else if (!JsonNode.DeepEquals(wanted, actual))
            {
                (state[name], times[name]) = (wanted?.DeepClone(), desiredTimes?[name]?.DeepClone());
            }
        }
        return state.Count > 0 ? (state, times) : null;
    }

    /// <summary>Whether anything is wanted that is not so.</summary>
    public static bool Differ(JsonObject? desired, JsonObject? reported) => desired is not null && desired.Any(m =>
        m.Value is JsonObject inner && reported?[m.Key] is JsonObject actual ? Differ(inner, actual) : !JsonNode.DeepEquals(m.Value, reported?[m.Key]));

    /// <summary>Levels of objects and arrays under and with this one; 0 for a value.</summary>
    public static int Depth(JsonNode? node) => node switch
    {
        JsonObject inner => 1 + (inner.Count == 0 ? 0 : inner.Max(m => Depth(m.Value))),
        JsonArray items => 1 + (items.Count == 0 ? 0 : items.Max(Depth)),
        _ => 0,
    };

    /// <summary>Whether an array in it, at any depth, has a null.</summary>
    public static bool HasNullInArray(JsonNode? node) => node switch
    {
        JsonObject inner => inner.Any(m => HasNullInArray(m.Value)),
        JsonArray items => items.Any(i => i is null || HasNullInArray(i)),
        _ => false,
    };
}
