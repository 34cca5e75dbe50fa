using System.Text;
using System.Text.RegularExpressions;

namespace Althing.Api;

/// <summary>Makes the models' regular expressions, which are Java's, into .NET's: the named ASCII classes are unknown here.</summary>
/// <remarks>"Classes for Unicode scripts, blocks, categories" and "POSIX character classes (US-ASCII only)" of java.util.regex.Pattern.</remarks>
static class ModelPattern
{
    /// <summary>The models' patterns are simple; none needs longer, and none may stop the door.</summary>
    static readonly TimeSpan TimeMax = TimeSpan.FromMilliseconds(250);

    static readonly Dictionary<string, string> Classes = new(StringComparer.Ordinal)
    {
        ["Lower"] = "a-z",
        ["Upper"] = "A-Z",
        ["ASCII"] = @"\x00-\x7F",
        ["Alpha"] = "a-zA-Z",
        ["Digit"] = "0-9",
        ["Alnum"] = "a-zA-Z0-9",
        ["Punct"] = @"!-/:-@\[-`{-~",
        ["Graph"] = "!-~",
        ["Print"] = " -~",
        ["Blank"] = @" \t",
        ["Cntrl"] = @"\x00-\x1F\x7F",
        ["XDigit"] = "0-9a-fA-F",
        ["Space"] = @" \t\n\x0B\f\r",
    };

    /// <summary>An expression that the whole text must match.</summary>
    public static Regex Compile(string pattern) => new($@"\A(?:{Translate(pattern)})\z", RegexOptions.CultureInvariant, TimeMax);

    static string Translate(string pattern)
    {
        // Java reads the two halves as one character; here every half of a pair is a character of its own.
        pattern = pattern.Replace(@"\uD800\uDC00-\uDBFF\uDFFF", @"\uD800-\uDFFF", StringComparison.OrdinalIgnoreCase);
        if (!pattern.Contains(@"\p{", StringComparison.Ordinal) && !pattern.Contains(@"\x{", StringComparison.Ordinal))
            return pattern;
        var result = new StringBuilder(pattern.Length + 16);
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] == '\\' && i + 1 < pattern.Length)
            {
                var end = pattern[i + 1] == 'p' ? pattern.IndexOf('}', i) : -1;
                if (end > 0 && Classes.TryGetValue(pattern[(i + 3)..end], out var members))
                {
                    result.Append(inClass ? members : $"[{members}]");
                    i = end;
                    continue;
                }
                // \x{22} is Java's way to write a character by its number.
                if (pattern[i + 1] == 'x' && pattern.ElementAtOrDefault(i + 2) == '{' && pattern.IndexOf('}', i) is var close and > 0)
                {
                    result.Append(@"\u").Append(pattern[(i + 3)..close].PadLeft(4, '0'));
                    i = close;
                    continue;
                }
                result.Append(pattern[i]).Append(pattern[++i]);
                continue;
            }
            inClass = pattern[i] switch { '[' => true, ']' => false, _ => inClass };
            result.Append(pattern[i]);
        }
        return result.ToString();
    }
}
