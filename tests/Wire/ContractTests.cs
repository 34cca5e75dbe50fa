using Althing.Tests.Tidy;

namespace Althing.Tests.Wire;

/// <summary>Every served operation is declared as its model says; what differs is in <c>contract-exceptions.txt</c>, with the reason.</summary>
public sealed class ContractTests
{
    const string NoModels = "The API models (../shared/aws-models) are not beside this checkout, so nothing was compared.";

    static string ExceptionsFile => Path.Combine(Repository.Root, "tests", "Wire", "contract-exceptions.txt");

    /// <summary>Lines of <c>key | reason</c>; <c>#</c> begins a comment.</summary>
    static Dictionary<string, string> Exceptions() => (
        from line in File.ReadAllLines(ExceptionsFile)
        where line.Length > 0 && line[0] != '#'
        let parts = line.Split('|', 2, StringSplitOptions.TrimEntries)
        select (Key: parts[0], Reason: parts.ElementAtOrDefault(1) ?? "")).ToDictionary(e => e.Key, e => e.Reason);

    static IEnumerable<Difference> Differences() =>
        from operation in Served.Operations
        let model = ApiModel.Of(operation.Api.Name)
        where model is not null
        from difference in Contract.Compare(operation, model)
        select difference;

    [Fact]
    public void Every_operation_is_declared_as_its_model_says()
    {
        Assert.SkipWhen(ApiModel.Folder is null, NoModels);
        var exceptions = Exceptions();
        var found = Differences().Where(d => !exceptions.ContainsKey(d.Key)).Select(d => $"{d.Key}: {d.Detail}").ToList();
        Assert.True(found.Count == 0, $"{found.Count} differences. Mend the declaration, or add a line 'key | reason' to {Repository.Relative(ExceptionsFile)}:\n{string.Join('\n', found)}");
    }

    [Fact]
    public void Every_exception_to_the_contract_is_still_needed_and_has_a_reason()
    {
        Assert.SkipWhen(ApiModel.Folder is null, NoModels);
        var differences = Differences().Select(d => d.Key).ToHashSet();
        // What is being built may arrive without its line going at the same moment; "not yet" lines are swept up later.
        Assert.Empty(Exceptions().Where(e => e.Value.Length == 0
            || (!differences.Contains(e.Key) && !e.Value.StartsWith("not yet", StringComparison.Ordinal))).Select(e => e.Key));
    }

    [Fact]
    public void Every_pattern_of_the_models_can_be_used_here()
    {
        Assert.SkipWhen(ApiModel.Folder is null, NoModels);
        foreach (var file in Directory.GetFiles(ApiModel.Folder!, "*.json"))
        {
            foreach (System.Text.RegularExpressions.Match match in System.Text.RegularExpressions.Regex.Matches(File.ReadAllText(file), "\"pattern\":\\s*(\"(?:[^\"\\\\]|\\\\.)*\")"))
                Althing.Api.ModelPattern.Compile(System.Text.Json.JsonSerializer.Deserialize<string>(match.Groups[1].Value)!);
        }
    }
}
