using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace Althing.Api;

/// <summary>Makes a request record out of members gathered from path, query, headers and body, and checks its constraints.</summary>
static class Binder
{
    /// <summary>Turns a JSON object of all members into the operation's request record.</summary>
    /// <exception cref="ServiceException">The API's exception for invalid input; the message names the member.</exception>
    public static object Bind(OperationInfo operation, JsonObject members)
    {
        foreach (var member in operation.RequestMembers)
        {
            if (member.Required && members[member.JsonName] is null)
                throw operation.Invalid($"1 validation error detected: Value null at '{member.JsonName}' failed to satisfy constraint: Member must not be null");
        }
        object request;
        try
        {
            request = members.Deserialize(operation.RequestType, operation.Api.Json)!;
        }
        catch (JsonException refusal)
        {
            throw operation.Invalid(Explain(refusal));
        }
        Constraints.Check(request, operation);
        return request;
    }

    /// <summary>Parses a body that must be a JSON object.</summary>
    public static JsonObject ParseBody(ReadOnlySpan<byte> body, OperationInfo operation)
    {
        if (body.IsEmpty)
            return [];
        if (!Utf8.IsValid(body))
            throw operation.Invalid("The request body is not valid UTF-8.");
        try
        {
            WireJson.CheckEscapes(body);
            var options = new JsonDocumentOptions { MaxDepth = WireJson.DepthMax, AllowDuplicateProperties = false };
            return JsonNode.Parse(body, null, options) as JsonObject
                ?? throw operation.Invalid("The request body must be a JSON object.");
        }
        catch (JsonException refusal)
        {
            throw operation.Invalid($"The request body is not valid JSON (line {refusal.LineNumber + 1}, byte {refusal.BytePositionInLine}).");
        }
    }

    /// <summary>A value from path, query or header in the form its member's type wants.</summary>
    public static JsonNode? FromText(MemberInfo member, IReadOnlyList<string> values)
    {
        var type = Nullable.GetUnderlyingType(member.Property.PropertyType) ?? member.Property.PropertyType;
        if (type != typeof(string) && type.IsAssignableTo(typeof(System.Collections.IEnumerable)))
            return new JsonArray([.. values.Select(v => JsonValue.Create(v))]);
        var text = values[0];
        if (type == typeof(bool))
            return bool.TryParse(text, out var truth) ? truth : JsonValue.Create(text);
        if (type == typeof(int) || type == typeof(long))
            return long.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : JsonValue.Create(text);
        if (type == typeof(double) || type == typeof(float))
            return double.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : JsonValue.Create(text);
        return JsonValue.Create(text);
    }

    static string Explain(JsonException refusal) => refusal.Path is { Length: > 2 } path
        ? $"The member '{path[2..]}' has the wrong type or is not a valid value."
        : "The request has a member of the wrong type.";
}
