using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Althing.Core.Authority;

/// <summary>
/// Names and values, some ten of them, in the little memory that every connection can have. Names are compared without regard to case, as
/// those of policy variables are.
/// </summary>
sealed class FewPairs : IReadOnlyDictionary<string, string>
{
    static readonly FewPairs None = new([]);
    readonly KeyValuePair<string, string>[] pairs;

    FewPairs(KeyValuePair<string, string>[] pairs) => this.pairs = pairs;

    public static FewPairs Of(Dictionary<string, string> all) => all.Count == 0 ? None : new([.. all]);

    public int Count => pairs.Length;
    public IEnumerable<string> Keys => pairs.Select(p => p.Key);
    public IEnumerable<string> Values => pairs.Select(p => p.Value);
    public string this[string key] => TryGetValue(key, out var value) ? value : throw new KeyNotFoundException($"There is no '{key}'.");

    public bool ContainsKey(string key) => TryGetValue(key, out _);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out string value)
    {
        foreach (var pair in pairs)
        {
            if (pair.Key.Equals(key, StringComparison.OrdinalIgnoreCase))
            {
                value = pair.Value;
                return true;
            }
        }
        value = null;
        return false;
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => pairs.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
