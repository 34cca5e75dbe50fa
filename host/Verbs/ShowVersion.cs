namespace Althing.Host.Verbs;

/// <summary><c>althing version</c></summary>
sealed class ShowVersion : Verb
{
    public override string Name => "version";
    public override string Summary => "Print the version";
    public override IReadOnlyList<Option> Options => [];

    public override Task<int> Run(Arguments arguments)
    {
        Console.WriteLine(typeof(ShowVersion).Assembly.GetName().Version!.ToString(3));
        return Task.FromResult(0);
    }
}
