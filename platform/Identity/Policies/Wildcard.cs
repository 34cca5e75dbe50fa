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

    public bool Matches(ReadOnlySpan<char> text)
    {
        int p = 0, t = 0, star = -1, resume = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && IsWild(p, '*'))
            {
                (star, resume) = (p++, t);
            }
            else if (p < pattern.Length && (IsWild(p, '?') || Same(pattern[p], text[t])))
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
        while (p < pattern.Length && IsWild(p, '*'))
            p++;
        return p == pattern.Length;
    }

    bool IsWild(int at, char wild) => pattern[at] == wild && (literals is null || literals[at] == '\0');

    bool Same(char a, char b) => a == b || (ignoreCase && char.ToUpperInvariant(a) == char.ToUpperInvariant(b));
}
