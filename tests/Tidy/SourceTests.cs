using System.Text.RegularExpressions;

namespace Althing.Tests.Tidy;

/// <summary>What must hold of every source file.</summary>
public sealed partial class SourceTests
{
    const int LinesMax = 600;

    [Fact]
    public void No_source_file_is_longer_than_a_reader_can_hold()
    {
        var tooLong = from file in Repository.Files(".cs", ".razor")
                      let lines = File.ReadLines(file).Count()
                      where lines > LinesMax
                      select $"{Repository.Relative(file)} has {lines} lines";
        Assert.Empty(tooLong);
    }

    [Fact]
    public void No_file_bears_a_name_that_says_nothing()
    {
        var vague = Repository.Files(".cs").Select(Repository.Relative).Where(f => VagueName().IsMatch(f));
        Assert.Empty(vague);
    }

    [Fact]
    public void No_file_names_a_machines_folders()
    {
        var absolute = from file in Repository.Files(".cs", ".razor", ".md", ".sh", ".yaml", ".json", ".props", ".csproj")
                       where !file.EndsWith("SourceTests.cs", StringComparison.Ordinal)
                       from line in File.ReadLines(file)
                       where MachinePath().IsMatch(line)
                       select $"{Repository.Relative(file)}: {line.Trim()}";
        Assert.Empty(absolute);
    }

    [Fact]
    public void Package_versions_stand_in_one_place()
    {
        var pinned = from file in Repository.Files(".csproj")
                     where PinnedVersion().IsMatch(File.ReadAllText(file))
                     select Repository.Relative(file);
        Assert.Empty(pinned);
    }

    [GeneratedRegex(@"(Utils?|Helpers?|Manager|Processor|Impl)\.cs$")]
    private static partial Regex VagueName();

    [GeneratedRegex(@"(?<![\w.$}/])/(work|home/[a-z]+|root)/[a-z]")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"<PackageReference[^>]*\bVersion=")]
    private static partial Regex PinnedVersion();
}
