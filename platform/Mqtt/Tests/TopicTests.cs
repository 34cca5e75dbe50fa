using Althing.Mqtt;
using CsCheck;

namespace Althing.Tests.Mqtt;

public class TopicTests
{
    static readonly Gen<string> Level = Gen.Int[0, 4].Select(i => new[] { "a", "b", "", "$x", "long-level" }[i]);
    static readonly Gen<string> Name = Level.Array[1, 4].Select(l => string.Join('/', l)).Where(n => n.Length > 0);
    static readonly Gen<string> Filter = Gen.OneOf(Level, Gen.Const("+")).Array[1, 4]
        .SelectMany(l => Gen.Bool.Select(hash => string.Join('/', hash ? [.. l, "#"] : l))).Where(f => f.Length > 0);

    [Fact]
    public void Matching_follows_the_specification() => Gen.Select(Filter, Name).Sample((filter, name) =>
        Assert.Equal(Slow(filter, name), Topic.Matches(filter, name)), iter: 20_000);

    [Fact]
    public void The_tree_finds_what_matching_one_by_one_finds_also_after_removals() =>
        Gen.Select(Filter.List[0, 30], Name, Gen.Int[0, 30]).Sample((filters, name, removed) =>
        {
            var tree = new TopicTree<int>();
            for (var i = 0; i < filters.Count; i++)
                tree.Add(filters[i], i);
            for (var i = 0; i < Math.Min(removed, filters.Count); i++)
                Assert.True(tree.Remove(filters[i], i));
            List<int> found = [];
            tree.Match(name, found);
            Assert.Equal(Enumerable.Range(0, filters.Count).Skip(removed).Where(i => Topic.Matches(filters[i], name)), found.Order());
        }, iter: 5_000);

    [Theory]
    [InlineData("a/#", true)]
    [InlineData("#", true)]
    [InlineData("a/+/b", true)]
    [InlineData("a#", false)]
    [InlineData("a/#/b", false)]
    [InlineData("a+", false)]
    [InlineData("", false)]
    [InlineData("a\0b", false)]
    public void Filters_are_valid_or_not(string filter, bool valid) => Assert.Equal(valid, Topic.IsValidFilter(filter));

    static bool Slow(string filter, string name)
    {
        if (name.StartsWith('$') && (filter.StartsWith('+') || filter.StartsWith('#')))
            return false;
        return Rest(filter.Split('/'), name.Split('/'));
    }

    static bool Rest(string[] filter, string[] name) => (filter, name) switch
    {
        (["#"], _) => true,
        ([], []) => true,
        ([], _) or (_, []) => false,
        (["+", .. var f], [_, .. var n]) => Rest(f, n),
        ([var x, .. var f], [var y, .. var n]) => x == y && Rest(f, n),
    };
}
