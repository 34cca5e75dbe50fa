using System.Text.Json.Nodes;

namespace Althing.Design;

/// <summary>Attributes as people write them: one a line, <c>name=value</c>.</summary>
public static class AttributeText
{
    public static JsonObject Parse(string? text)
    {
        var attributes = new JsonObject();
        foreach (var line in (text ?? "").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = line.Split('=', 2);
            attributes[parts[0].Trim()] = parts.Length > 1 ? parts[1].Trim() : "";
        }
        return attributes;
    }

    public static string Format(IReadOnlyDictionary<string, string>? attributes) =>
        string.Join('\n', (attributes ?? new Dictionary<string, string>()).OrderBy(a => a.Key, StringComparer.Ordinal).Select(a => $"{a.Key}={a.Value}"));
}
