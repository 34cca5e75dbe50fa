using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Althing.Jobs.Executions;

namespace Althing.Jobs.Devices;

/// <summary>Documents on the jobs' topics.</summary>
static class DeviceJson
{
    /// <summary>Nesting deeper than this is refused.</summary>
    const int DepthMax = 64;

    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static byte[] Write(JsonObject document) => JsonSerializer.SerializeToUtf8Bytes(document, Options);

    /// <summary>What a device asks; an empty message asks with all defaults.</summary>
    /// <exception cref="JobRefusal">InvalidJson.</exception>
    public static JsonObject Read(ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty)
            return [];
        try
        {
            var node = JsonNode.Parse(Strict.GetString(payload), null, new JsonDocumentOptions { MaxDepth = DepthMax, AllowDuplicateProperties = false });
            return node as JsonObject ?? throw Invalid("The request is not a JSON object.");
        }
        catch (Exception failure) when (failure is JsonException or DecoderFallbackException)
        {
            throw Invalid($"The request is not JSON: {failure.Message}");
        }

        static JobRefusal Invalid(string message) => new(JobErrorCode.InvalidJson, message);
    }

    public static string? Text(JsonObject request, string name) => Value<string>(request, name, "a string");

    public static long? Number(JsonObject request, string name) => request[name] switch
    {
        null => null,
        // Some clients write numbers as text, as the documentation's own example does.
        JsonValue value when TryGet<string>(value, out var text) && long.TryParse(text, out var parsed) => parsed,
        JsonValue value when TryGet<long>(value, out var number) => number,
        _ => throw ExecutionRules.Invalid($"'{name}' is not a whole number."),
    };

    public static bool? Flag(JsonObject request, string name) => request[name] is null ? null : Value<bool>(request, name, "true or false");

    /// <summary>A map of strings.</summary>
    public static IReadOnlyDictionary<string, string>? Map(JsonObject request, string name) => request[name] switch
    {
        null => null,
        JsonObject map => map.ToDictionary(m => m.Key, m => m.Value is JsonValue value && TryGet<string>(value, out var text) ? text!
            : throw ExecutionRules.Invalid($"The value of '{m.Key}' in '{name}' is not a string.")),
        _ => throw ExecutionRules.Invalid($"'{name}' is not an object of strings."),
    };

    static T? Value<T>(JsonObject request, string name, string what) => request[name] switch
    {
        null => default,
        JsonValue value when TryGet<T>(value, out var found) => found,
        _ => throw ExecutionRules.Invalid($"'{name}' is not {what}."),
    };

    /// <exception cref="JobRefusal">InvalidJson for a string with half a surrogate pair, which is found only when it is read.</exception>
    static bool TryGet<T>(JsonValue value, out T? found)
    {
        try
        {
            return value.TryGetValue(out found);
        }
        catch (InvalidOperationException)
        {
            throw new JobRefusal(JobErrorCode.InvalidJson, "The request is not JSON: a string in it is not Unicode.");
        }
    }
}
