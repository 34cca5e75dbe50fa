using System.Collections;
using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Althing.Api;

/// <summary>Holds a request, and the records inside it, to the limits that its attributes state.</summary>
static class Constraints
{
    static readonly ConcurrentDictionary<Type, IReadOnlyList<Rule>> RulesOf = new();
    static readonly ConcurrentDictionary<string, Regex> Patterns = new();

    sealed record Rule(PropertyInfo Property, LengthAttribute? Length, RangeAttribute? Range, PatternAttribute? Pattern, OneOfAttribute? OneOf, EachAttribute? Each);

    public static void Check(object request, OperationInfo operation)
    {
        List<string> errors = [];
        CheckRecord(request, "", operation.Api, errors);
        if (errors.Count > 0)
        {
            var noun = errors.Count == 1 ? "error" : "errors";
            throw operation.Invalid($"{errors.Count} validation {noun} detected: {string.Join("; ", errors.Take(10))}");
        }
    }

    static void CheckRecord(object record, string path, AwsApi api, List<string> errors)
    {
        foreach (var rule in RulesOf.GetOrAdd(record.GetType(), Read))
        {
            var name = path + (api.Json.PropertyNamingPolicy?.ConvertName(rule.Property.Name) ?? rule.Property.Name);
            if (rule.Property.GetValue(record) is { } value)
                CheckValue(rule, value, name, api, errors);
            else if (rule.Property.GetCustomAttribute<System.Runtime.CompilerServices.RequiredMemberAttribute>() is not null)
                errors.Add($"Value null at '{name}' failed to satisfy constraint: Member must not be null");
        }
    }

    static void CheckValue(Rule rule, object value, string name, AwsApi api, List<string> errors)
    {
        void Fail(object shown, string constraint) =>
            errors.Add($"Value '{Shorten(Convert.ToString(shown, CultureInfo.InvariantCulture)!)}' at '{name}' failed to satisfy constraint: Member must {constraint}");

        switch (value)
        {
            case string text:
                if (rule.Length is { } length)
                    CheckLength(Characters(text), length.Min, length.Max, what => Fail(text, what));
                if (rule.Pattern is { } pattern && !Matches(pattern.Expression, text))
                    Fail(text, $"satisfy regular expression pattern: {pattern.Expression}");
                if (rule.OneOf is { } oneOf && !oneOf.Values.Contains(text))
                    Fail(text, $"satisfy enum value set: [{string.Join(", ", oneOf.Values)}]");
                break;
            case byte[] bytes:
                if (rule.Length is { } size)
                    CheckLength(bytes.Length, size.Min, size.Max, what => Fail($"{bytes.Length} bytes", what));
                break;
            case int or long or double or float:
                var number = Convert.ToDouble(value, CultureInfo.InvariantCulture);
                if (rule.Range is { } range && number < range.Min)
                    Fail(value, $"have value greater than or equal to {range.Min}");
                if (rule.Range is { } upper && number > upper.Max)
                    Fail(value, $"have value less than or equal to {upper.Max}");
                break;
            case IDictionary map:
                if (rule.Length is { } entries)
                    CheckLength(map.Count, entries.Min, entries.Max, what => Fail($"{map.Count} entries", what));
                foreach (DictionaryEntry entry in map)
                    CheckEntry(rule, (entry.Key as string, entry.Value), name, api, errors);
                break;
            case IEnumerable list:
                var items = list.Cast<object?>().ToList();
                if (rule.Length is { } count)
                    CheckLength(items.Count, count.Min, count.Max, what => Fail($"{items.Count} entries", what));
                foreach (var item in items)
                    CheckEntry(rule, (null, item), name, api, errors);
                break;
            default:
                if (IsShape(value.GetType()))
                    CheckRecord(value, name + ".", api, errors);
                break;
        }
    }

    static void CheckEntry(Rule rule, (string? Key, object? Value) entry, string name, AwsApi api, List<string> errors)
    {
        void Fail(string shown, string constraint) =>
            errors.Add($"Value '{Shorten(shown)}' at '{name}' failed to satisfy constraint: Member must {constraint}");

        if (entry.Key is { } key && rule.Each is { } keys)
        {
            CheckLength(Characters(key), keys.KeyLengthMin, keys.KeyLengthMax, what => Fail(key, what));
            if (keys.KeyPattern is { } pattern && !Matches(pattern, key))
                Fail(key, $"satisfy regular expression pattern: {pattern}");
        }
        if (entry.Value is null)
            errors.Add($"Value null at '{name}' failed to satisfy constraint: Member must not be null");
        else if (entry.Value is string text)
        {
            if (rule.Each is { } each)
            {
                CheckLength(Characters(text), each.LengthMin, each.LengthMax, what => Fail(text, what));
                if (each.Pattern is { } pattern && !Matches(pattern, text))
                    Fail(text, $"satisfy regular expression pattern: {pattern}");
            }
            if (rule.OneOf is { } oneOf && !oneOf.Values.Contains(text))
                Fail(text, $"satisfy enum value set: [{string.Join(", ", oneOf.Values)}]");
        }
        else if (IsShape(entry.Value.GetType()))
            CheckRecord(entry.Value, name + ".", api, errors);
    }

    static void CheckLength(int length, int min, int max, Action<string> fail)
    {
        if (length < min)
            fail($"have length greater than or equal to {min}");
        else if (length > max)
            fail($"have length less than or equal to {max}");
    }

    /// <summary>The models count Unicode characters, not UTF-16 units.</summary>
    static int Characters(string text)
    {
        var pairs = 0;
        foreach (var unit in text)
            pairs += char.IsHighSurrogate(unit) ? 1 : 0;
        return text.Length - pairs;
    }

    static bool Matches(string pattern, string text)
    {
        var regex = Patterns.GetOrAdd(pattern, p => ModelPattern.Compile(p));
        try
        {
            return regex.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }

    static bool IsShape(Type type) => type.Namespace?.StartsWith("Althing", StringComparison.Ordinal) == true && !type.IsEnum;

    static List<Rule> Read(Type type) =>
    [
        .. from p in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
           where p.GetIndexParameters().Length == 0 && p.Name != "EqualityContract"
           select new Rule(p, p.GetCustomAttribute<LengthAttribute>(), p.GetCustomAttribute<RangeAttribute>(),
               p.GetCustomAttribute<PatternAttribute>(), p.GetCustomAttribute<OneOfAttribute>(), p.GetCustomAttribute<EachAttribute>()),
    ];

    static string Shorten(string text) => text.Length <= 200 ? text : text[..200] + "…";
}
