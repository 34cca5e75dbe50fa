using System.Text.Json.Nodes;
using Althing.Tests.Tidy;

namespace Althing.Tests.Wire;

/// <summary>An API's published model, read where it lies beside the checkout.</summary>
sealed class ApiModel
{
    static readonly Dictionary<string, ApiModel?> Loaded = new(StringComparer.Ordinal);

    readonly JsonObject root;

    ApiModel(JsonObject root) => this.root = root;

    public static string? Folder { get; } = Repository.Shared is { } shared ? Path.Combine(shared, "aws-models") : null;

    /// <summary>The model of an API; null when there is none of it.</summary>
    public static ApiModel? Of(string api)
    {
        lock (Loaded)
        {
            if (!Loaded.TryGetValue(api, out var model))
            {
                var file = Path.Combine(Folder!, api + ".json");
                Loaded[api] = model = File.Exists(file) ? new(JsonNode.Parse(File.ReadAllText(file))!.AsObject()) : null;
            }
            return model;
        }
    }

    public IEnumerable<string> Operations => root["operations"]!.AsObject().Select(o => o.Key);

    public JsonObject? Operation(string name) => root["operations"]![name]?.AsObject();

    public JsonObject Shape(string name) => root["shapes"]![name]!.AsObject();

    /// <summary>The exceptions that the model lists for an operation.</summary>
    public IEnumerable<string> Errors(string operation) =>
        Operation(operation)?["errors"]?.AsArray().Select(e => e!["shape"]!.GetValue<string>()) ?? [];
}
