using System.Text;
using Althing.Tests.Tidy;

namespace Althing.Tests.Wire;

/// <summary><c>docs/coverage.md</c> says of every operation of the published models whether it is served. <c>ALTHING_REWRITE=1</c> writes it anew.</summary>
public sealed class CoverageTests
{
    static string File_ => Path.Combine(Repository.Root, "docs", "coverage.md");

    static string Expected()
    {
        var text = new StringBuilder("# Which operations are served\n\nWritten by the tests (`ALTHING_REWRITE=1`), from the APIs' published models and the operations in the code.\n");
        foreach (var api in Served.Operations.Select(o => o.Api.Name).Distinct())
        {
            var served = Served.Operations.Where(o => o.Api.Name == api).Select(o => o.Name).ToHashSet();
            var all = (ApiModel.Of(api)?.Operations ?? served).Order(StringComparer.Ordinal).ToList();
            text.Append($"\n## {api}: {all.Count(served.Contains)} of {all.Count}\n");
            foreach (var name in all)
                text.Append($"- [{(served.Contains(name) ? 'x' : ' ')}] {name}\n");
        }
        return text.ToString();
    }

    [Fact]
    public void The_list_of_operations_in_the_documentation_is_true()
    {
        Assert.SkipWhen(ApiModel.Folder is null, "The API models (../shared/aws-models) are not beside this checkout, so nothing was compared.");
        var expected = Expected();
        if (Environment.GetEnvironmentVariable("ALTHING_REWRITE") == "1")
            File.WriteAllText(File_, expected);
        var (there, should) = (File.Exists(File_) ? File.ReadAllLines(File_) : [], expected.Split('\n')[..^1]);
        Assert.True(there.SequenceEqual(should), "docs/coverage.md is stale; run this test once with ALTHING_REWRITE=1.\n"
            + string.Join('\n', should.Except(there).Select(l => $"missing: {l}").Concat(there.Except(should).Select(l => $"stale:   {l}"))));
    }
}
