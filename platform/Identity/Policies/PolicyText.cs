using System.Text;

namespace Althing.Identity;

/// <summary>Text with policy variables: <c>${iot:ClientId}</c>, and <c>${*} ${?} ${$}</c> for the characters themselves.</summary>
static class PolicyText
{
    /// <summary>What is wrong with the text, or null.</summary>
    public static string? Problem(string text)
    {
        for (var at = 0; (at = text.IndexOf("${", at, StringComparison.Ordinal)) >= 0; at++)
        {
            var end = text.IndexOf('}', at);
            if (end < 0)
                return "A variable that begins with ${ has no closing brace.";
            if (end == at + 2)
                return "A variable has no name.";
        }
        return null;
    }

    /// <summary>The text with what looks like variables standing for itself.</summary>
    public static string Escape(string text) => text.Replace("${", "${$}{", StringComparison.Ordinal);

    /// <summary>The pattern with all variables replaced; null when one has no value, so that nothing can match.</summary>
    /// <remarks>Wildcard characters in a variable's value are literal: a client named <c>*</c> is not everybody.</remarks>
    public static Wildcard? Compile(string text, IReadOnlyDictionary<string, string> context, bool ignoreCase = false)
    {
        if (!text.Contains("${", StringComparison.Ordinal))
            return new(text, ignoreCase);
        var literals = new StringBuilder(text.Length + 32);
        return Expand(text, context, literals) is { } pattern ? new(pattern, ignoreCase, literals.ToString()) : null;
    }

    /// <summary>
    /// Whether the pattern, with its variables replaced, matches: what <see cref="Compile"/> would say, without memory of its own, because
    /// every message of every device is judged by it.
    /// </summary>
    public static bool Matches(string text, IReadOnlyDictionary<string, string> context, ReadOnlySpan<char> value)
    {
        // Most patterns of a policy are for something else, which shows before the first variable or wildcard.
        var plain = text.AsSpan().IndexOfAny('*', '?', '$');
        if (plain < 0)
            return value.SequenceEqual(text);
        if (!value.StartsWith(text.AsSpan(0, plain)))
            return false;
        if (!text.Contains("${", StringComparison.Ordinal))
            return Wildcard.Matches(text, default, value, ignoreCase: false);
        Span<char> pattern = stackalloc char[ExpandedOnStack], literals = stackalloc char[ExpandedOnStack];
        var lookup = Lookup.Of(context);
        var length = 0;
        for (var at = 0; at < text.Length;)
        {
            ReadOnlySpan<char> part;
            var isValue = text.AsSpan(at).StartsWith("${");
            if (isValue)
            {
                var end = text.IndexOf('}', at);
                if (end < 0 || !lookup.TryGet(text.AsSpan(at + 2, end - at - 2), out part))
                    return false;
                at = end + 1;
            }
            else
            {
                var next = text.IndexOf("${", at, StringComparison.Ordinal);
                part = next < 0 ? text.AsSpan(at) : text.AsSpan(at, next - at);
                at += part.Length;
            }
            if (length + part.Length > ExpandedOnStack)
                return Compile(text, context) is { } compiled && compiled.Matches(value);
            part.CopyTo(pattern[length..]);
            literals.Slice(length, part.Length).Fill(isValue ? 'x' : '\0');
            length += part.Length;
        }
        return Wildcard.Matches(pattern[..length], literals[..length], value, ignoreCase: false);
    }

    /// <summary>In characters. Longer patterns are put together on the heap.</summary>
    const int ExpandedOnStack = 512;

    /// <summary>Finds values without making a string of each name.</summary>
    readonly ref struct Lookup
    {
        IReadOnlyDictionary<string, string> Context { get; init; }
        Dictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> Spans { get; init; }
        bool BySpan { get; init; }

        public static Lookup Of(IReadOnlyDictionary<string, string> context) =>
            context is Dictionary<string, string> dictionary && dictionary.TryGetAlternateLookup<ReadOnlySpan<char>>(out var spans)
                ? new() { Context = context, Spans = spans, BySpan = true }
                : new() { Context = context };

        public bool TryGet(ReadOnlySpan<char> variable, out ReadOnlySpan<char> value)
        {
            if (BySpan && Spans.TryGetValue(variable, out var found))
            {
                value = found;
                return true;
            }
            var other = ValueOf(variable.ToString(), Context);
            value = other;
            return other is not null;
        }
    }

    /// <summary>The text with all variables replaced; null when one has no value. Wildcards mean nothing in it.</summary>
    public static string? Literal(string text, IReadOnlyDictionary<string, string> context) =>
        text.Contains("${", StringComparison.Ordinal) ? Expand(text, context, null) : text;

    /// <summary>The names of the variables in a text, without defaults and without the three characters.</summary>
    public static IEnumerable<string> Variables(string text)
    {
        for (var at = 0; (at = text.IndexOf("${", at, StringComparison.Ordinal)) >= 0 && text.IndexOf('}', at) is > 0 and var end; at = end)
        {
            if (NameOf(text[(at + 2)..end]) is not ("*" or "?" or "$") and var name)
                yield return name;
        }
    }

    /// <param name="literals">Takes a mark for each character that stands for itself.</param>
    static string? Expand(string text, IReadOnlyDictionary<string, string> context, StringBuilder? literals)
    {
        var expanded = new StringBuilder(text.Length + 32);
        for (var at = 0; at < text.Length;)
        {
            if (!text.AsSpan(at).StartsWith("${"))
            {
                expanded.Append(text[at++]);
                literals?.Append('\0');
                continue;
            }
            var end = text.IndexOf('}', at);
            if (end < 0 || ValueOf(text[(at + 2)..end], context) is not { } value)
                return null;
            expanded.Append(value);
            literals?.Append('x', value.Length);
            at = end + 1;
        }
        return expanded.ToString();
    }

    static string NameOf(string variable) => variable.IndexOf(',', StringComparison.Ordinal) is >= 0 and var comma ? variable[..comma].Trim() : variable.Trim();

    static string? ValueOf(string variable, IReadOnlyDictionary<string, string> context)
    {
        if (variable is "*" or "?" or "$")
            return variable;
        if (context.TryGetValue(NameOf(variable), out var value))
            return value;
        // ${name, 'default'}
        var comma = variable.IndexOf(',', StringComparison.Ordinal);
        return comma < 0 ? null : variable[(comma + 1)..].Trim().Trim('\'');
    }
}
