using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Althing.Core.Provisioning.Templates;

/// <summary>
/// A value in a template: given as it is, taken from a parameter, or made by an intrinsic function. Parameters' values are data: whatever they
/// contain, they are never read as a template.
/// </summary>
abstract record Expression
{
    /// <exception cref="TemplateFault">The values do not fit.</exception>
    public abstract JsonNode? Evaluate(TemplateValues values);

    /// <exception cref="TemplateFault">It is something else than text.</exception>
    public string Text(TemplateValues values, string what) => Evaluate(values) switch
    {
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        JsonValue value when value.GetValueKind() is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.ToJsonString(),
        _ => throw new TemplateFault($"{what} is no text."),
    };

    /// <exception cref="TemplateFault">It is no list.</exception>
    public JsonArray List(TemplateValues values, string what) =>
        Evaluate(values) as JsonArray ?? throw new TemplateFault($"{what} is no list.");
}

/// <summary>What a template and the values for it do not agree upon.</summary>
sealed class TemplateFault(string message) : Exception(message);

sealed record Literal(JsonNode? Value) : Expression
{
    public override JsonNode? Evaluate(TemplateValues values) => Value?.DeepClone();
}

sealed record ListOf(IReadOnlyList<Expression> Items) : Expression
{
    public override JsonNode? Evaluate(TemplateValues values) => new JsonArray([.. Items.Select(i => i.Evaluate(values))]);
}

sealed record MapOf(IReadOnlyDictionary<string, Expression> Members) : Expression
{
    public override JsonNode? Evaluate(TemplateValues values) =>
        new JsonObject(Members.Select(m => KeyValuePair.Create(m.Key, m.Value.Evaluate(values))));
}

sealed record RefTo(string Name) : Expression
{
    public override JsonNode? Evaluate(TemplateValues values) => JsonValue.Create(values.Parameter(Name));
}

sealed record Join(string Delimiter, Expression Items) : Expression
{
    public override JsonNode? Evaluate(TemplateValues values) => JsonValue.Create(
        string.Join(Delimiter, Items.List(values, "What Fn::Join joins").Select(i => new Literal(i).Text(values, "An item of Fn::Join"))));
}

/// <param name="Parts">Texts, and what stands between them.</param>
sealed record Sub(IReadOnlyList<Expression> Parts) : Expression
{
    public override JsonNode? Evaluate(TemplateValues values)
    {
        var text = new StringBuilder();
        foreach (var part in Parts)
            text.Append(part.Text(values, "A variable of Fn::Sub"));
        return JsonValue.Create(text.ToString());
    }
}

sealed record Select(Expression Index, Expression Items) : Expression
{
    public override JsonNode? Evaluate(TemplateValues values)
    {
        var items = Items.List(values, "What Fn::Select selects from");
        var text = Index.Text(values, "The index of Fn::Select");
        return int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var index) && index >= 0 && index < items.Count && items[index] is { } found
            ? found.DeepClone()
            : throw new TemplateFault($"Fn::Select finds nothing at index {text} of {items.Count}.");
    }
}

sealed record FindInMap(Expression Map, Expression Top, Expression Second) : Expression
{
    public override JsonNode? Evaluate(TemplateValues values)
    {
        var (map, top, second) = (Map.Text(values, "The map of Fn::FindInMap"), Top.Text(values, "The first key of Fn::FindInMap"), Second.Text(values, "The second key of Fn::FindInMap"));
        return (values.Mappings[map]?[top] as JsonObject)?[second]?.DeepClone()
            ?? throw new TemplateFault($"The mapping '{map}' has no value at '{top}' and '{second}'.");
    }
}

sealed record Split(string Delimiter, Expression Source) : Expression
{
    public override JsonNode? Evaluate(TemplateValues values) => new JsonArray(
        [.. Source.Text(values, "What Fn::Split splits").Split(Delimiter).Select(p => (JsonNode?)JsonValue.Create(p))]);
}

/// <summary>The values that a template is evaluated with.</summary>
sealed record TemplateValues
{
    public required IReadOnlyDictionary<string, string> Parameters { get; init; }
    public required JsonObject Mappings { get; init; }

    /// <summary>Whether values become part of a policy.</summary>
    public bool InPolicy { get; init; }

    /// <summary>Whether values become part of a text that is itself JSON: they must not end the string that they stand in.</summary>
    public bool InJsonText { get; init; }

    public string Parameter(string name)
    {
        if (!Parameters.TryGetValue(name, out var value))
            throw new TemplateFault($"The parameter '{name}' is not given and has no default.");
        // With wildcards or policy variables of its own a device could widen the policy that is written for it.
        if (InPolicy && (value.AsSpan().ContainsAny('*', '?') || value.Contains("${", StringComparison.Ordinal)))
            throw new TemplateFault($"The value of the parameter '{name}' becomes part of a policy and must not contain '*', '?' or '${{'.");
        return InJsonText ? JsonEncodedText.Encode(value).ToString() : value;
    }
}
