using System.Text.RegularExpressions;
using Althing.Tests.Tidy;

namespace Althing.Tests.Clients;

/// <summary>What the documentation tells a reader to type, typed; what it says is printed, compared.</summary>
public sealed partial class DocumentTests
{
    const string Start = "./althing up";

    public static TheoryData<string> Documents => ["README.md", .. Directory.GetFiles(Path.Combine(Repository.Root, "docs", "guide"), "*.md").Select(Repository.Relative).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task The_commands_of_a_document_do_what_it_says(string document)
    {
        Tool.Need("bash", "aws", "mosquitto_pub", "mosquitto_sub", "curl", "stdbuf");
        await using var house = await House.Up();
        await using var terminal = new Terminal(house);
        foreach (Match block in Block().Matches(await File.ReadAllTextAsync(Path.Combine(Repository.Root, document))))
        {
            var text = block.Groups["text"].Value;
            switch (block.Groups["kind"].Value)
            {
                case "sh" when text.StartsWith("./althing up", StringComparison.Ordinal) || text.StartsWith("./althing test", StringComparison.Ordinal):
                    // The house runs already, as this command would run it, but for its ports; and the tests run, too.
                    break;
                case "sh":
                    await terminal.Paste(text);
                    break;
                case "text":
                    foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                        await terminal.Prints(line);
                    break;
            }
        }
    }

    [Fact]
    public void The_readme_begins_with_the_one_command()
    {
        var blocks = Block().Matches(File.ReadAllText(Path.Combine(Repository.Root, "README.md")));
        Assert.Equal(Start, blocks[0].Groups["text"].Value.Trim());
    }

    [Fact]
    public void No_link_between_documents_leads_nowhere()
    {
        var dead = from file in Repository.Files(".md")
                   from Match link in Link().Matches(File.ReadAllText(file))
                   let target = link.Groups["target"].Value.Split('#')[0]
                   where target.Length > 0 && !target.Contains(':', StringComparison.Ordinal)
                   let path = Path.Combine(Path.GetDirectoryName(file)!, target)
                   where !File.Exists(path) && !Directory.Exists(path)
                   select $"{Repository.Relative(file)}: {target}";
        Assert.Empty(dead);
    }

    [GeneratedRegex("^```(?<kind>[a-z]*)\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();
}
