using System.Reflection;
using System.Text.Json.Nodes;
using Althing.Api;
using MemberInfo = Althing.Api.MemberInfo;

namespace Althing.Tests.Wire;

/// <summary>Makes the smallest request that an operation's declared limits let pass.</summary>
static class Sample
{
    public static readonly string[] Texts =
    [
        "x1", "1", "{}", "123456789012", "ABCD-1", new('a', 64), "arn:aws:iot:eu-north-1:123456789012:thing/x1",
        "2026-01-01T00:00:00Z", "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n", new('a', 36), "x1.example.com", "/x1",
    ];

    public static JsonObject Request(OperationInfo operation) => Record(operation.RequestType, operation.Api, depth: 0);

    static JsonObject Record(Type type, AwsApi api, int depth)
    {
        JsonObject record = [];
        foreach (var member in MemberInfo.Of(type, api.Json).Where(m => m.Required))
            record[member.JsonName] = Value(member, member.Property.PropertyType, api, depth);
        return record;
    }

    static JsonNode? Value(MemberInfo member, Type declared, AwsApi api, int depth)
    {
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        var range = member.Property.GetCustomAttribute<RangeAttribute>();
        return type switch
        {
            _ when type == typeof(string) => Text(member),
            _ when type == typeof(bool) => false,
            _ when type == typeof(int) || type == typeof(long) => (long)Math.Max(range?.Min ?? 1, -1e9),
            _ when type == typeof(double) || type == typeof(float) => Math.Max(range?.Min ?? 1, -1e9),
            _ when type == typeof(DateTimeOffset) => 1_700_000_000,
            _ when type == typeof(byte[]) => "AA==",
            _ when type.Name.Contains("Dictionary", StringComparison.Ordinal) => new JsonObject(),
            _ when type.IsAssignableTo(typeof(System.Collections.IEnumerable)) => List(member, type, api, depth),
            _ => depth < 8 ? Record(type, api, depth + 1) : null,
        };
    }

    static JsonArray List(MemberInfo member, Type type, AwsApi api, int depth)
    {
        var count = Math.Min(member.Property.GetCustomAttribute<LengthAttribute>()?.Min ?? 0, 5);
        var element = type.IsArray ? type.GetElementType()! : type.GetGenericArguments()[0];
        return [.. Enumerable.Range(0, count).Select(_ => element == typeof(string) ? Text(member) : Value(member, element, api, depth + 1))];
    }

    /// <summary>A text that the member's limits, or those of its elements, let pass.</summary>
    public static string Text(MemberInfo member)
    {
        if (member.Property.GetCustomAttribute<OneOfAttribute>() is { Values: [var first, ..] })
            return first;
        var (length, each) = (member.Property.GetCustomAttribute<LengthAttribute>(), member.Property.GetCustomAttribute<EachAttribute>());
        var single = member.Property.PropertyType == typeof(string);
        var (min, max) = single ? (length?.Min ?? 0, length?.Max ?? int.MaxValue) : (each?.LengthMin ?? 0, each?.LengthMax ?? int.MaxValue);
        var pattern = (single ? member.Property.GetCustomAttribute<PatternAttribute>()?.Expression : each?.Pattern) is { } p ? ModelPattern.Compile(p) : null;
        return Texts.FirstOrDefault(t => t.Length >= min && t.Length <= max && pattern?.IsMatch(t) != false)
            ?? throw new InvalidOperationException($"No sample fits '{member.JsonName}': add one to {nameof(Texts)}.");
    }

    /// <summary>The target that means this operation, with a sample for each label.</summary>
    public static string Target(OperationInfo operation)
    {
        if (operation.Template is null)
            return operation.Api.QueryVersion is { } version ? $"/?Action={operation.Name}&Version={version}" : "/";
        var target = operation.Template;
        foreach (var member in operation.RequestMembers.Where(m => m.Location is LabelAttribute))
        {
            var text = Uri.EscapeDataString(member.Property.PropertyType == typeof(string) ? Text(member) : "1");
            target = target.Replace($"{{{member.WireName}}}", text, StringComparison.Ordinal).Replace($"{{{member.WireName}+}}", text, StringComparison.Ordinal);
        }
        return target;
    }
}
