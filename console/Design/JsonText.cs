using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Althing.Design;

/// <summary>JSON as people read it.</summary>
public static class JsonText
{
    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What stands on one line is shown on many; what is set out already, or no JSON, stays as it is.</summary>
    public static string Tidy(string json)
    {
        if (json.Trim().Contains('\n', StringComparison.Ordinal))
            return json;
        try
        {
            return JsonNode.Parse(json)?.ToJsonString(Indented) ?? json;
        }
        catch (JsonException)
        {
            return json;
        }
    }
}
