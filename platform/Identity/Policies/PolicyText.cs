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
