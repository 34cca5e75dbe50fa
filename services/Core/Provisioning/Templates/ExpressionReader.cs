using System.Text.Json;
using System.Text.Json.Nodes;

namespace Althing.Core.Provisioning.Templates;

/// <summary>Reads the expressions of a template, and refuses what cannot be evaluated later, saying where it stands.</summary>
/// <param name="declared">The names that Ref may use.</param>
/// <remarks>"Intrinsic functions" (AWS IoT developer guide, Provisioning templates).</remarks>
sealed class ExpressionReader(IReadOnlySet<string> declared, JsonObject mappings)
{
    const string Prefix = "Fn::";
    const string Reference = "Ref";

    public Expression Read(JsonNode? node, string at)
    {
        switch (node)
        {
            case JsonArray items:
                return new ListOf([.. items.Select((item, i) => Read(item, $"{at}[{i}]"))]);
            case JsonObject members when members.Any(m => m.Key == Reference || m.Key.StartsWith(Prefix, StringComparison.Ordinal)):
                if (members.Count > 1)
                    throw Wrong(at, $"a function stands alone in its object; there are {members.Count} members.");
                var (name, argument) = members.First();
                return Function(name, argument, $"{at}.{name}");
            case JsonObject members:
                return new MapOf(members.ToDictionary(m => m.Key, m => Read(m.Value, $"{at}.{m.Key}"), StringComparer.Ordinal));
            default:
                return new Literal(node?.DeepClone());
        }
    }

    Expression Function(string name, JsonNode? argument, string at) => name switch
    {
        Reference => RefTo(TextOf(argument, at), at),
        "Fn::Join" when argument is JsonArray and [var delimiter, var items] => new Join(TextOf(delimiter, at + "[0]"), Listed(items, at + "[1]")),
        "Fn::Join" => throw Wrong(at, "it has a delimiter and a list: [\",\", [\"a\", \"b\"]]."),
        "Fn::Select" when argument is JsonArray and [var index, var items] => new Select(Read(index, at + "[0]"), Listed(items, at + "[1]")),
        "Fn::Select" => throw Wrong(at, "it has an index and a list: [\"0\", [\"a\", \"b\"]]."),
        "Fn::Split" when argument is JsonArray and [var delimiter, var source] && TextOf(delimiter, at + "[0]") is { Length: > 0 } text => new Split(text, Read(source, at + "[1]")),
        "Fn::Split" => throw Wrong(at, "it has a delimiter, which is not empty, and a text: [\",\", \"a,b\"]."),
        "Fn::FindInMap" when argument is JsonArray and [var map, var top, var second] => Find(map, top, second, at),
        "Fn::FindInMap" => throw Wrong(at, "it has the name of a mapping and two keys."),
        "Fn::Sub" => Substitute(argument, at),
        _ => throw Wrong(at, "there is no such function: Fn::Join, Fn::Select, Fn::FindInMap, Fn::Split and Fn::Sub are."),
    };

    FindInMap Find(JsonNode? map, JsonNode? top, JsonNode? second, string at)
    {
        var name = Read(map, at + "[0]");
        if (name is Literal { Value: { } literal } && mappings[TextOf(literal, at + "[0]")] is null)
            throw Wrong(at, $"there is no mapping '{literal}' in Mappings.");
        return new(name, Read(top, at + "[1]"), Read(second, at + "[2]"));
    }

    /// <summary>A text with <c>${Name}</c>; <c>${!Name}</c> stands for <c>${Name}</c> itself.</summary>
    Sub Substitute(JsonNode? argument, string at)
    {
        var own = argument is JsonArray and [_, JsonObject given]
            ? given.ToDictionary(m => m.Key, m => Read(m.Value, $"{at}[1].{m.Key}"), StringComparer.Ordinal)
            : [];
        if (argument is JsonArray and not [_, JsonObject])
            throw Wrong(at, "it has a text, or a text and an object with values for its variables.");
        var text = TextOf(argument is JsonArray list ? list[0] : argument, at);
        List<Expression> parts = [];
        var from = 0;
        for (int open; (open = text.IndexOf("${", from, StringComparison.Ordinal)) >= 0;)
        {
            var close = text.IndexOf('}', open);
            if (close < 0)
                throw Wrong(at, $"'${{' at character {open} has no '}}'.");
            parts.Add(new Literal(JsonValue.Create(text[from..open])));
            var name = text[(open + 2)..close];
            parts.Add(name.StartsWith('!') ? new Literal(JsonValue.Create($"${{{name[1..]}}}"))
                : own.TryGetValue(name, out var value) ? value
                : RefTo(name, at));
            from = close + 1;
        }
        parts.Add(new Literal(JsonValue.Create(text[from..])));
        return new(parts);
    }

    RefTo RefTo(string name, string at) => declared.Contains(name)
        ? new(name)
        : throw Wrong(at, $"'{name}' is not declared in Parameters." + (at.Contains("Fn::Sub", StringComparison.Ordinal) ? $" Write ${{!{name}}} for a policy variable." : ""));

    Expression Listed(JsonNode? node, string at) => Read(node, at) switch
    {
        ListOf or Templates.Split or Templates.Select or Templates.FindInMap => Read(node, at),
        _ => throw Wrong(at, "a list stands here, or a function that makes one."),
    };

    static string TextOf(JsonNode? node, string at) => node is JsonValue value && value.GetValueKind() == JsonValueKind.String
        ? value.GetValue<string>()
        : throw Wrong(at, "a text stands here.");

    public static TemplateFault Wrong(string at, string why) => new($"At {at}: {why}");
}
