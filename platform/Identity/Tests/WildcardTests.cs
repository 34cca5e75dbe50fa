using System.Text;
using System.Text.RegularExpressions;
using Althing.Identity;
using CsCheck;

namespace Althing.Tests.Identity;

/// <summary>Patterns against a matcher that is slow and plainly right.</summary>
public sealed class WildcardTests
{
    static readonly Gen<string> Patterns = Gen.OneOf("a", "b", "A", "*", "?", "/", "ü").Array[0, 12].Select(string.Concat);
    static readonly Gen<string> Texts = Gen.OneOf("a", "b", "A", "/", "*", "ü").Array[0, 12].Select(string.Concat);

    /// <summary>The definition itself: a star is nothing, or any character and a star again.</summary>
    static bool Naive(string pattern, string text) => pattern.Length == 0 ? text.Length == 0 : pattern[0] switch
    {
        '*' => Naive(pattern[1..], text) || (text.Length > 0 && Naive(pattern, text[1..])),
        '?' => text.Length > 0 && Naive(pattern[1..], text[1..]),
        var c => text.Length > 0 && text[0] == c && Naive(pattern[1..], text[1..]),
    };

    [Fact]
    public void A_pattern_matches_what_its_definition_says() => Gen.Select(Patterns, Texts).Sample((pattern, text) =>
    {
        Assert.Equal(Naive(pattern, text), new Wildcard(pattern).Matches(text));
        Assert.Equal(Naive(pattern.ToUpperInvariant(), text.ToUpperInvariant()), new Wildcard(pattern, ignoreCase: true).Matches(text));
    }, iter: 20_000);

    [Fact]
    public void A_text_with_variables_matches_as_if_their_values_were_written_out() => Gen.Select(Patterns, Texts, Patterns, Texts).Sample((before, value, after, text) =>
    {
        var literal = new StringBuilder();
        foreach (var (part, isValue) in new[] { (before, false), (value, true), (after, false) })
            literal.Append(isValue ? Regex.Escape(part) : Regex.Escape(part).Replace(@"\*", ".*").Replace(@"\?", "."));
        var oracle = Regex.IsMatch(text, $"^(?:{literal})$", RegexOptions.CultureInvariant);
        var context = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { ["v"] = value };
        var written = before + "${V}" + after;
        Assert.Equal(oracle, PolicyText.Compile(written, context)!.Value.Matches(text));
        Assert.Equal(oracle, PolicyText.Matches(written, context, text));
        Assert.Equal(oracle, PolicyText.Matches(written, context.AsReadOnly(), text));
        var filler = new string('x', 600);
        Assert.Equal(oracle, PolicyText.Matches(filler + written, context, filler + text));
        Assert.False(PolicyText.Matches(written + "${nobody}", context, text));
    }, iter: 20_000);

    [Fact]
    public void Judging_a_message_takes_no_memory_but_for_the_answer()
    {
        var document = PolicyTables.Document("""{"Effect":"Allow","Action":["iot:Publish","iot:Receive"],"Resource":["arn:aws:iot:r:1:topic/b/*","arn:aws:iot:r:1:topic/${iot:ClientId}/*"]}""");
        AccessRequest asked = new("iot:Publish", "arn:aws:iot:r:1:topic/pump/a", PolicyTables.Context("iot:ClientId=pump"));
        PolicyDocument[] documents = [document];
        Assert.True(PolicyEvaluator.Evaluate(documents, asked).Allowed);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            PolicyEvaluator.Evaluate(documents, asked);
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 1000, 0, 120);
    }

    [Fact]
    public void Many_stars_against_a_long_text_cost_little()
    {
        var pattern = new Wildcard(string.Concat(Enumerable.Repeat("a*", 1000)) + "b");
        Assert.False(pattern.Matches(new string('a', 20_000)));
    }
}
