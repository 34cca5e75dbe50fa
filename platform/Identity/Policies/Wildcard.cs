namespace Althing.Identity;

/// <summary>A pattern in which <c>*</c> stands for any characters and <c>?</c> for one. Linear in practice, never exponential.</summary>
public readonly struct Wildcard
{
    readonly string pattern;
    readonly string? literals;
    readonly bool ignoreCase;

    /// <param name="literals">Marks, by a non-zero character at the same place, pattern characters that stand for themselves; null when none do.</param>
    public Wildcard(string pattern, bool ignoreCase = false, string? literals = null) =>
        (this.pattern, this.ignoreCase, this.literals) = (pattern, ignoreCase, literals);

    public bool Matches(string text) => Matches(text.AsSpan());

    public bool Matches(ReadOnlySpan<char> text) => Matches(pattern, literals, text, ignoreCase);

    /// <param name="literals">As for the constructor; empty when no wildcard character stands for itself.</param>
    internal static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> literals, ReadOnlySpan<char> text, bool ignoreCase)
    {
        // What is the same up to the first wildcard needs no second look; for ARNs that is nearly all.
        var wild = pattern.IndexOfAny('*', '?');
        var same = pattern[..(wild < 0 ? pattern.Length : wild)].CommonPrefixLength(text);
        int p = same, t = same, star = -1, resume = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && IsWild(pattern, literals, p, '*'))
            {
                if (p == pattern.Length - 1)
                    return true;
                (star, resume) = (p++, t);
            }
            else if (p < pattern.Length && (IsWild(pattern, literals, p, '?') || Same(pattern[p], text[t], ignoreCase)))
            {
                p++;
                t++;
            }
            else if (star >= 0)
            {
                // Let the last star take one more character and try again behind it.
                p = star + 1;
                t = ++resume;
            }
            else
            {
                return false;
            }
        }
        while (p < pattern.Length && IsWild(pattern, literals, p, '*'))
            p++;
        return p == pattern.Length;
    }

    static bool IsWild(ReadOnlySpan<char> pattern, ReadOnlySpan<char> literals, int at, char wild) => pattern[at] == wild && (literals.IsEmpty || literals[at] == '\0');

    static bool Same(char a, char b, bool ignoreCase) => a == b || (ignoreCase && char.ToUpperInvariant(a) == char.ToUpperInvariant(b));
}
