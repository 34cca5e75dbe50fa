using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Api;

namespace Althing.Core.Shadows;

/// <summary>A request state document, read and found in order ("Request state document", "Device Shadow error messages").</summary>
sealed record ShadowUpdate
{
    public const int ClientTokenBytesMax = 64;

    /// <summary>Bytes of desired and reported state together, without white space ("AWS IoT Device Shadow endpoints and quotas").</summary>
    public const int StateBytesMax = 8 * 1024;

    /// <summary>Levels of objects and arrays in the desired or the reported state.</summary>
    public const int DepthMax = 8;

    /// <summary>A request larger than this cannot be one whose result fits.</summary>
    const int RequestBytesMax = 4 * StateBytesMax;

    static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);
    static readonly JsonDocumentOptions Json = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    public string? ClientToken { get; init; }
    public long? Version { get; init; }

    /// <summary>The whole state shall go.</summary>
    public bool ClearsAll { get; init; }
    public JsonObject? Desired { get; init; }
    public JsonObject? Reported { get; init; }
    public bool ClearsDesired { get; init; }
    public bool ClearsReported { get; init; }

    /// <exception cref="ShadowRefusal">It is not in order.</exception>
    public static ShadowUpdate Read(ReadOnlySpan<byte> payload)
    {
        var root = Parse(payload) as JsonObject ?? throw new ShadowRefusal(400, "Invalid JSON");
        var token = TokenOf(root);
        try
        {
            var version = VersionOf(root);
            if (!root.TryGetPropertyValue("state", out var state))
                throw new ShadowRefusal(400, "Missing required node: state");
            if (state is null)
                return new() { ClientToken = token, Version = version, ClearsAll = true };
            var parts = state as JsonObject ?? throw new ShadowRefusal(400, "State node must be an object");
            // What stands beside the two is ignored ("Diagnosing problems with shadows").
            return new()
            {
                ClientToken = token,
                Version = version,
                Desired = Part(parts, "desired", "Desired"),
                Reported = Part(parts, "reported", "Reported"),
                ClearsDesired = parts.ContainsKey("desired") && parts["desired"] is null,
                ClearsReported = parts.ContainsKey("reported") && parts["reported"] is null,
            };
        }
        catch (ShadowRefusal refusal)
        {
            throw new ShadowRefusal(refusal.Code, refusal.Message) { ClientToken = token };
        }
    }

    /// <summary>The token of a get or a delete request, whose content does not matter otherwise.</summary>
    public static string? TokenOf(ReadOnlySpan<byte> payload)
    {
        try
        {
            return payload.IsEmpty ? null : Parse(payload) is JsonObject root ? TokenOf(root) : null;
        }
        catch (ShadowRefusal)
        {
            return null;
        }
    }

    static JsonNode? Parse(ReadOnlySpan<byte> payload)
    {
        if (payload.Length > RequestBytesMax)
            throw new ShadowRefusal(413, "The payload exceeds the maximum size allowed");
        try
        {
            var text = Strict.GetString(payload);
            WireJson.CheckEscapes(payload);
            return JsonNode.Parse(text, documentOptions: Json);
        }
        catch (DecoderFallbackException)
        {
            throw new ShadowRefusal(415, "Unsupported documented encoding; supported encoding is UTF-8");
        }
        catch (JsonException)
        {
            throw new ShadowRefusal(400, "Invalid JSON");
        }
    }

    static string? TokenOf(JsonObject root)
    {
        if (root["clientToken"] is not { } node)
            return null;
        return node.GetValueKind() == JsonValueKind.String && node.GetValue<string>() is { } token && Encoding.UTF8.GetByteCount(token) <= ClientTokenBytesMax
            ? token
            : throw new ShadowRefusal(400, "Invalid clientToken");
    }

    static long? VersionOf(JsonObject root)
    {
        if (root["version"] is not { } node)
            return null;
        return node is JsonValue value && node.GetValueKind() == JsonValueKind.Number && value.TryGetValue<long>(out var version) && version >= 0 ? version
            : throw new ShadowRefusal(400, "Invalid version");
    }

    static JsonObject? Part(JsonObject state, string name, string title)
    {
        if (state[name] is not { } node)
            return null;
        var part = node as JsonObject ?? throw new ShadowRefusal(400, $"{title} node must be an object");
        if (ShadowTree.Depth(part) > DepthMax)
            throw new ShadowRefusal(400, $"JSON contains too many levels of nesting; maximum is {DepthMax}");
        return ShadowTree.HasNullInArray(part) ? throw new ShadowRefusal(400, "State contains an invalid node") : part;
    }
}
