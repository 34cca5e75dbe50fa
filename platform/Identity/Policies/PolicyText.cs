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
                return "a variable that begins with ${ has no closing brace.";
            if (end == at + 2)
                return "a variable has no name.";
        }
        return null;
    }

    /// <summary>The pattern with all variables replaced; null when one has no value, so that nothing can match.</summary>
    /// <remarks>Wildcard characters in a variable's value are literal: a client named <c>*</c> is not everybody.</remarks>
    public static Wildcard? Compile(string text, IReadOnlyDictionary<string, string> context, bool ignoreCase = false)
    {
        if (!text.Contains("${", StringComparison.Ordinal))
            return new(text, ignoreCase);
        var pattern = new StringBuilder(text.Length + 32);
        var literals = new StringBuilder(text.Length + 32);
        for (var at = 0; at < text.Length;)
        {
            if (!text.AsSpan(at).StartsWith("${"))
            {
                pattern.Append(text[at++]);
                literals.Append('\0');
                continue;
            }
            var end = text.IndexOf('}', at);
            if (end < 0 || ValueOf(text[(at + 2)..end], context) is not { } value)
                return null;
            pattern.Append(value);
            literals.Append('x', value.Length);
            at = end + 1;
        }
        return new(pattern.ToString(), ignoreCase, literals.ToString());
    }

    static string? ValueOf(string variable, IReadOnlyDictionary<string, string> context)
    {
        if (variable is "*" or "?" or "$")
            return variable;
        var comma = variable.IndexOf(',', StringComparison.Ordinal);
        var name = comma < 0 ? variable : variable[..comma].TrimEnd();
        if (context.TryGetValue(name, out var value))
            return value;
        // ${name, 'default'}
        return comma < 0 ? null : variable[(comma + 1)..].Trim().Trim('\'');
    }
}
