using System.Globalization;
using System.Net;

namespace Althing.Identity;

/// <summary>The operators of Condition blocks ("IAM JSON policy elements: Condition operators").</summary>
static class ConditionOperators
{
    static readonly string[] Bases =
    [
        "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
        "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
        "DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
        "Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
    ];

    public static bool Exists(string name) => Bases.Contains(Split(name).Base, StringComparer.OrdinalIgnoreCase);

    /// <summary>Takes an operator as written apart: set prefix, base, IfExists.</summary>
    public static (string? Set, string Base, bool IfExists) Split(string name)
    {
        string? set = null;
        if (name.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon && name[..colon] is "ForAllValues" or "ForAnyValue")
            (set, name) = (name[..name.IndexOf(':', StringComparison.Ordinal)], name[(name.IndexOf(':', StringComparison.Ordinal) + 1)..]);
        const string ifExists = "IfExists";
        return name.EndsWith(ifExists, StringComparison.Ordinal) ? (set, name[..^ifExists.Length], true) : (set, name, false);
    }
}

/// <summary>Judges the conditions of a statement: all lines must hold, any one value of a line is enough.</summary>
static class Conditions
{
    /// <summary>Separates the values of a context key that has several.</summary>
    public const char ValueSeparator = '\u001f';

    public static bool Hold(IReadOnlyList<PolicyCondition> conditions, IReadOnlyDictionary<string, string> context)
    {
        foreach (var condition in conditions)
        {
            if (!Holds(condition, context))
                return false;
        }
        return true;
    }

    static bool Holds(PolicyCondition condition, IReadOnlyDictionary<string, string> context)
    {
        var (set, name, ifExists) = ConditionOperators.Split(condition.Operator);
        var present = Find(context, condition.Key) is { } found;
        if (name.Equals("Null", StringComparison.OrdinalIgnoreCase))
            return condition.Values.Any(v => bool.TryParse(v, out var absent) && absent != present);
        if (!present)
            return ifExists || set == "ForAllValues" || IsNegative(name);
        var actual = Find(context, condition.Key)!.Split(ValueSeparator);
        bool One(string value) => Compare(name, value, condition.Values, context);
        return set switch
        {
            "ForAllValues" => actual.All(One),
            "ForAnyValue" => actual.Any(One),
            _ => One(actual[0]),
        };
    }

    static string? Find(IReadOnlyDictionary<string, string> context, string key)
    {
        if (context.TryGetValue(key, out var value))
            return value;
        foreach (var (name, other) in context)
        {
            if (name.Equals(key, StringComparison.OrdinalIgnoreCase))
                return other;
        }
        return null;
    }

    static bool IsNegative(string name) => name.Contains("Not", StringComparison.Ordinal);

    /// <summary>A positive operator holds when any wanted value fits, a negative one when none does.</summary>
    static bool Compare(string name, string actual, IReadOnlyList<string> wanted, IReadOnlyDictionary<string, string> context)
    {
        var positive = name.Replace("Not", "", StringComparison.Ordinal);
        var fits = wanted.Any(w => Fits(positive, actual, w, context));
        return IsNegative(name) ? !fits : fits;
    }

    static bool Fits(string name, string actual, string wanted, IReadOnlyDictionary<string, string> context) => name switch
    {
        "StringEquals" => PolicyText.Compile(wanted, context) is { } && Literal(wanted, context) == actual,
        "StringEqualsIgnoreCase" => string.Equals(Literal(wanted, context), actual, StringComparison.OrdinalIgnoreCase),
        "StringLike" or "ArnLike" or "ArnEquals" => PolicyText.Compile(wanted, context) is { } pattern && pattern.Matches(actual),
        "Bool" => bool.TryParse(wanted, out var w) && bool.TryParse(actual, out var a) && w == a,
        "BinaryEquals" => wanted == actual,
        "IpAddress" => InNetwork(actual, wanted),
        _ when name.StartsWith("Numeric", StringComparison.Ordinal) =>
            double.TryParse(actual, CultureInfo.InvariantCulture, out var a) && double.TryParse(wanted, CultureInfo.InvariantCulture, out var w)
            && Ordered(name["Numeric".Length..], a.CompareTo(w)),
        _ when name.StartsWith("Date", StringComparison.Ordinal) =>
            Time(actual) is { } a && Time(wanted) is { } w && Ordered(name["Date".Length..], a.CompareTo(w)),
        _ => false,
    };

    /// <summary>The wanted text with its variables replaced; the text itself where it has none.</summary>
    static string? Literal(string wanted, IReadOnlyDictionary<string, string> context)
    {
        if (!wanted.Contains("${", StringComparison.Ordinal))
            return wanted;
        var start = wanted.IndexOf("${", StringComparison.Ordinal);
        var end = wanted.IndexOf('}', start);
        return Find(context, wanted[(start + 2)..end]) is { } value ? wanted[..start] + value + Literal(wanted[(end + 1)..], context) : null;
    }

    static bool Ordered(string comparison, int order) => comparison switch
    {
        "Equals" => order == 0,
        "LessThan" => order < 0,
        "LessThanEquals" => order <= 0,
        "GreaterThan" => order > 0,
        "GreaterThanEquals" => order >= 0,
        _ => false,
    };

    static DateTimeOffset? Time(string text) =>
        long.TryParse(text, CultureInfo.InvariantCulture, out var seconds) ? DateTimeOffset.FromUnixTimeSeconds(seconds)
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    static bool InNetwork(string address, string network)
    {
        if (!IPAddress.TryParse(address, out var ip))
            return false;
        if (ip.IsIPv4MappedToIPv6)
            ip = ip.MapToIPv4();
        return IPNetwork.TryParse(network.Contains('/', StringComparison.Ordinal) ? network : network + (network.Contains(':', StringComparison.Ordinal) ? "/128" : "/32"), out var range)
            && range.Contains(ip);
    }
}
