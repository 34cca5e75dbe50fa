namespace Althing.Host;

/// <summary>What <c>--help</c> prints.</summary>
static class Help
{
    public static int Print(IReadOnlyList<Verb> verbs)
    {
        Console.WriteLine("Althing: the APIs and MQTT topics of AWS IoT on your own machine.\n\nUsage: ./althing COMMAND [OPTION...]\n");
        foreach (var verb in verbs)
            Console.WriteLine($"  {verb.Name,-12}{verb.Summary}");
        Console.WriteLine($"  {"test",-12}Run the tests, or those whose names contain FILTER: ./althing test [FILTER]");
        Console.WriteLine($"  {"bench",-12}Run the benchmarks, or one: ./althing bench [NAME]");
        Console.WriteLine("\n'./althing COMMAND --help' shows a command's options. Docs: README.md and docs/guide/.");
        return 0;
    }

    public static int Print(Verb verb)
    {
        Console.WriteLine(verb.Summary + "\n");
        foreach (var form in verb.Usage)
            Console.WriteLine($"  ./althing {verb.Name} {form}".TrimEnd());
        Console.WriteLine();
        foreach (var option in verb.Options)
            Console.WriteLine($"  {(option.Short is { } letter ? $"-{letter}, " : "") + "--" + option.Name + (option.Value is null ? "" : " " + option.Value),-24}{option.Summary}");
        return 0;
    }
}
