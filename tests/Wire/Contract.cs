using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using Althing.Api;
using MemberInfo = Althing.Api.MemberInfo;

namespace Althing.Tests.Wire;

/// <summary>One way in which an operation is not as its model.</summary>
/// <param name="Key">Where, as it stands in the file of exceptions.</param>
sealed record Difference(string Key, string Detail);

/// <summary>Compares an operation's declaration with its model: route, members, locations, types and limits.</summary>
sealed class Contract(OperationInfo operation, ApiModel model)
{
    readonly List<Difference> differences = [];
    readonly HashSet<(Type, string)> seen = [];

    public static IReadOnlyList<Difference> Compare(OperationInfo operation, ApiModel model)
    {
        var contract = new Contract(operation, model);
        contract.Compare();
        return contract.differences;
    }

    void Compare()
    {
        if (model.Operation(operation.Name) is not { } modelled)
        {
            Note("operation", "the model has no such operation");
            return;
        }
        var http = modelled["http"]!;
        if (operation.Api.Protocol == WireProtocol.RestJson)
        {
            Same("method", http["method"]!.GetValue<string>(), operation.Method);
            Same("uri", http["requestUri"]!.GetValue<string>(), operation.Template);
            Same("status", http["responseCode"]?.GetValue<int>() ?? 200, operation.Status);
        }
        CompareShape("input", operation.RequestType, modelled["input"]?["shape"]?.GetValue<string>(), limits: true);
        CompareShape("output", operation.ResponseType, modelled["output"]?["shape"]?.GetValue<string>(), limits: false);
    }

    void CompareShape(string path, Type type, string? shapeName, bool limits)
    {
        var shape = shapeName is null ? null : model.Shape(shapeName);
        if (!seen.Add((type, $"{shapeName}{limits}")))
            return;
        var expected = shape?["members"]?.AsObject() ?? [];
        var required = shape?["required"]?.AsArray().Select(r => r!.GetValue<string>()).ToHashSet() ?? [];
        var actual = MemberInfo.Of(type, operation.Api.Json).ToDictionary(m => m.JsonName);
        foreach (var (name, reference) in expected)
        {
            var inBody = reference!["location"] is null && shape!["payload"]?.GetValue<string>() != name;
            var jsonName = inBody ? reference["locationName"]?.GetValue<string>() ?? name : name;
            var at = $"{path}.{name}";
            if (!actual.Remove(jsonName, out var member))
            {
                Note(at, "is missing");
                continue;
            }
            CompareLocation(at, member, reference, shape!["payload"]?.GetValue<string>() == name);
            if (limits)
                Same($"{at} required", required.Contains(name), member.Required);
            CompareValue(at, member, member.Property.PropertyType, model.Shape(reference["shape"]!.GetValue<string>()), reference["shape"]!.GetValue<string>(), limits);
        }
        foreach (var extra in actual.Keys)
            Note($"{path}.{extra}", "is not in the model");
    }

    void CompareLocation(string at, MemberInfo member, JsonNode reference, bool isPayload)
    {
        var expected = isPayload ? "payload" : reference["location"]?.GetValue<string>() ?? "body";
        var actual = member.Location switch
        {
            null => "body",
            LabelAttribute => "uri",
            QueryAttribute => "querystring",
            HeaderAttribute => "header",
            StatusCodeAttribute => "statusCode",
            _ => "payload",
        };
        Same($"{at} location", expected, actual);
        if (expected is "uri" or "querystring" or "header")
            Same($"{at} wire name", reference["locationName"]!.GetValue<string>(), member.WireName);
    }

    void CompareValue(string at, MemberInfo member, Type declared, JsonObject shape, string shapeName, bool limits)
    {
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        var kind = shape["type"]!.GetValue<string>();
        var here = KindOf(type);
        if (here != Simplified(kind) && here != "any")
        {
            Note($"{at} type", $"is {kind} in the model and {type.Name} here");
            return;
        }
        var property = member.Property;
        var (length, range, each) = (property.GetCustomAttribute<LengthAttribute>(), property.GetCustomAttribute<RangeAttribute>(), property.GetCustomAttribute<EachAttribute>());
        if (limits && kind is "string" or "list" or "map" or "blob" && limits)
            Same($"{at} length", Bounds(shape), (length?.Min ?? 0, length?.Max ?? int.MaxValue));
        if (limits && kind is "integer" or "long" or "double" or "float" && limits)
            Same($"{at} range", RangeOf(shape), (range?.Min ?? double.MinValue, range?.Max ?? double.MaxValue));
        if (limits && kind == "string")
        {
            Same($"{at} pattern", shape["pattern"]?.GetValue<string>(), property.GetCustomAttribute<PatternAttribute>()?.Expression);
            CompareEnum(at, shape, property);
        }
        if (kind == "structure" && here == "structure")
            CompareShape(at, type, shapeName, limits);
        else if (kind == "list")
            CompareElement($"{at}[]", member, ElementOf(type), shape["member"]!, each, limits);
        else if (kind == "map" && here == "map")
            CompareMap(at, member, type, shape, each, limits);
    }

    void CompareMap(string at, MemberInfo member, Type type, JsonObject shape, EachAttribute? each, bool limits)
    {
        if (limits)
        {
            var key = model.Shape(shape["key"]!["shape"]!.GetValue<string>());
            Same($"{at}{{}} key length", Bounds(key), (each?.KeyLengthMin ?? 0, each?.KeyLengthMax ?? int.MaxValue));
            Same($"{at}{{}} key pattern", key["pattern"]?.GetValue<string>(), each?.KeyPattern);
        }
        CompareElement($"{at}{{}}", member, type.GetGenericArguments()[1], shape["value"]!, each, limits);
    }

    void CompareElement(string at, MemberInfo member, Type type, JsonNode reference, EachAttribute? each, bool limits)
    {
        var name = reference["shape"]!.GetValue<string>();
        var shape = model.Shape(name);
        var kind = shape["type"]!.GetValue<string>();
        if (KindOf(type) != Simplified(kind) && KindOf(type) != "any")
            Note($"{at} type", $"is {kind} in the model and {type.Name} here");
        else if (kind == "structure" && KindOf(type) == "structure")
            CompareShape(at, type, name, limits);
        else if (kind == "string" && limits)
        {
            Same($"{at} length", Bounds(shape), (each?.LengthMin ?? 0, each?.LengthMax ?? int.MaxValue));
            Same($"{at} pattern", shape["pattern"]?.GetValue<string>(), each?.Pattern);
            CompareEnum(at, shape, member.Property);
        }
    }

    void CompareEnum(string at, JsonObject shape, PropertyInfo property)
    {
        static string Joined(IEnumerable<string>? values) => string.Join(",", (values ?? []).Order(StringComparer.Ordinal));
        Same($"{at} enum", Joined(shape["enum"]?.AsArray().Select(v => v!.GetValue<string>())), Joined(property.GetCustomAttribute<OneOfAttribute>()?.Values));
    }

    static (int, int) Bounds(JsonObject shape) => (Number(shape["min"], 0), Number(shape["max"], int.MaxValue));

    static int Number(JsonNode? node, int absent) =>
        node is null ? absent : (int)Math.Min(int.MaxValue, double.Parse(node.ToString(), CultureInfo.InvariantCulture));

    static (double, double) RangeOf(JsonObject shape) =>
        (shape["min"] is { } min ? double.Parse(min.ToString()) : double.MinValue, shape["max"] is { } max ? double.Parse(max.ToString()) : double.MaxValue);

    static string Simplified(string kind) => kind switch { "integer" or "long" => "whole", "double" or "float" => "fraction", _ => kind };

    static string KindOf(Type declared)
    {
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        return type switch
        {
            _ when type == typeof(string) || type.IsEnum => "string",
            _ when type == typeof(bool) => "boolean",
            _ when type == typeof(int) || type == typeof(long) => "whole",
            _ when type == typeof(double) || type == typeof(float) => "fraction",
            _ when type == typeof(DateTimeOffset) => "timestamp",
            _ when type == typeof(byte[]) => "blob",
            _ when type == typeof(object) || type.Namespace?.StartsWith("System.Text.Json", StringComparison.Ordinal) == true => "any",
            _ when IsMap(type) => "map",
            _ when type.IsAssignableTo(typeof(IEnumerable)) => "list",
            _ => "structure",
        };
    }

    static bool IsMap(Type type) => type.IsGenericType && type.GetGenericArguments().Length == 2 && type.Name.Contains("Dictionary", StringComparison.Ordinal);

    static Type ElementOf(Type type) => type.IsArray ? type.GetElementType()! : type.GetGenericArguments()[0];

    void Same<T>(string at, T expected, T actual)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
            Note(at, $"is '{expected}' in the model and '{actual}' here");
    }

    void Note(string at, string detail) => differences.Add(new($"{operation.Api.Name} {operation.Name} {at}", detail));
}
