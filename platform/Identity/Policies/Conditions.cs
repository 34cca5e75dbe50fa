using System.Globalization;
using System.Net;

namespace Althing.Identity;

/// <summary>An operator of a Condition block, taken apart ("IAM JSON policy elements: Condition operators"). Names ignore case.</summary>
/// <param name="Base">The positive operator as the documentation spells it: <c>StringEquals</c> for <c>StringNotEquals</c>.</param>
/// <param name="Set">How keys of several values are judged.</param>
/// <param name="IfExists">Whether it holds when the key is not there.</param>
sealed record ConditionOperator(string Base, bool Negative, ConditionSet Set, bool IfExists)
{
    static readonly string[] Names =
    [
        "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
        "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
        "DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
        "Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
    ];

    /// <summary>Null when there is no such operator.</summary>
    public static ConditionOperator? Parse(string text)
    {
        const string ifExists = "IfExists";
        var (set, rest) = text switch
        {
            _ when text.StartsWith("ForAllValues:", StringComparison.OrdinalIgnoreCase) => (ConditionSet.All, text["ForAllValues:".Length..]),
            _ when text.StartsWith("ForAnyValue:", StringComparison.OrdinalIgnoreCase) => (ConditionSet.Any, text["ForAnyValue:".Length..]),
            _ => (ConditionSet.None, text),
        };
        var optional = rest.EndsWith(ifExists, StringComparison.OrdinalIgnoreCase);
        var name = Array.Find(Names, n => n.Equals(optional ? rest[..^ifExists.Length] : rest, StringComparison.OrdinalIgnoreCase));
        if (name is null || (name == "Null" && (optional || set != ConditionSet.None)))
            return null;
        return new(name.Replace("Not", "", StringComparison.Ordinal), name.Contains("Not", StringComparison.Ordinal), set, optional);
    }
}

enum ConditionSet { None, All, Any }

/// <summary>Judges the conditions of a statement: all lines must hold, any one value of a line is enough.</summary>
static class Conditions
{
    /// <summary>Separates the values of a context key that has several.</summary>
    public const char ValueSeparator = '\u001f';

    public static bool Hold(IReadOnlyList<PolicyCondition> conditions, IReadOnlyDictionary<string, string> context)
    {
        for (var i = 0; i < conditions.Count; i++)
        {
            if (!Holds(conditions[i], context))
                return false;
        }
        return true;
    }

    static bool Holds(PolicyCondition condition, IReadOnlyDictionary<string, string> context)
    {
        var test = condition.Parsed;
        var value = Find(context, condition.Key);
        if (test.Base == "Null")
            return condition.Values.Any(v => bool.TryParse(v, out var absent) && absent == value is null);
        if (value is null)
            return test.IfExists || test.Set == ConditionSet.All || (test.Negative && test.Set == ConditionSet.None);
        bool One(string actual) => condition.Values.Any(wanted => Fits(test.Base, actual, wanted, context)) != test.Negative;
        return test.Set switch
        {
            ConditionSet.All => value.Split(ValueSeparator).All(One),
            ConditionSet.Any => value.Split(ValueSeparator).Any(One),
            // Not split: a client may have put the separator there itself.
            _ => One(value),
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

    static bool Fits(string name, string actual, string wanted, IReadOnlyDictionary<string, string> context) => name switch
    {
        "StringEquals" or "BinaryEquals" => PolicyText.Literal(wanted, context) == actual,
        "StringEqualsIgnoreCase" => PolicyText.Literal(wanted, context) is { } text && text.Equals(actual, StringComparison.OrdinalIgnoreCase),
        "StringLike" => PolicyText.Matches(wanted, context, actual),
        "ArnLike" or "ArnEquals" => FitsArn(actual, wanted, context),
        "Bool" => bool.TryParse(PolicyText.Literal(wanted, context), out var w) && bool.TryParse(actual, out var a) && w == a,
        "IpAddress" => InNetwork(actual, wanted),
        _ when name.StartsWith("Numeric", StringComparison.Ordinal) =>
            Number(actual) is { } a && Number(wanted) is { } w && Ordered(name["Numeric".Length..], a.CompareTo(w)),
        _ when name.StartsWith("Date", StringComparison.Ordinal) =>
            Time(actual) is { } a && Time(wanted) is { } w && Ordered(name["Date".Length..], a.CompareTo(w)),
        _ => false,
    };

    /// <summary>The six parts of ARNs are compared each with its own, so that no wildcard reaches over a colon before the last part.</summary>
    static bool FitsArn(string actual, string wanted, IReadOnlyDictionary<string, string> context)
    {
        var parts = actual.Split(':', 6);
        var patterns = ArnParts(wanted);
        if (parts.Length != 6 || patterns.Count != 6)
            return false;
        for (var i = 0; i < 6; i++)
        {
            if (!PolicyText.Matches(patterns[i], context, parts[i]))
                return false;
        }
        return true;
    }

    /// <summary>Splits at the first five colons that are not part of a variable's name.</summary>
    static List<string> ArnParts(string pattern)
    {
        List<string> parts = [];
        var start = 0;
        for (var at = 0; at < pattern.Length && parts.Count < 5; at++)
        {
            if (pattern.AsSpan(at).StartsWith("${") && pattern.IndexOf('}', at) is > 0 and var end)
                at = end;
            else if (pattern[at] == ':')
            {
                parts.Add(pattern[start..at]);
                start = at + 1;
            }
        }
        parts.Add(pattern[start..]);
        return parts;
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

    static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;

    /// <summary>Epoch seconds or ISO 8601.</summary>
    static DateTimeOffset? Time(string text)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds))
            return seconds is >= -62_135_596_800 and <= 253_402_300_799 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
    }

    /// <summary>Whether an address is in a network such as <c>10.0.0.0/8</c>, whose host bits do not count, or is the one address.</summary>
    static bool InNetwork(string address, string network)
    {
        var slash = network.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(address, out var ip) || !IPAddress.TryParse(slash < 0 ? network : network[..slash], out var range))
            return false;
        if (ip.IsIPv4MappedToIPv6)
            ip = ip.MapToIPv4();
        var (bytes, wanted) = (ip.GetAddressBytes(), range.GetAddressBytes());
        var bits = bytes.Length * 8;
        if (bytes.Length != wanted.Length
            || (slash >= 0 && (!int.TryParse(network[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out bits) || bits > bytes.Length * 8)))
            return false;
        for (var i = 0; i < bits; i++)
        {
            if (((bytes[i / 8] ^ wanted[i / 8]) & (0x80 >> (i % 8))) != 0)
                return false;
        }
        return true;
    }
}
