using Althing.Storage;

namespace Althing.Host;

/// <summary>One command of the command line.</summary>
abstract class Verb
{
    public abstract string Name { get; }

    /// <summary>What it does, in a line.</summary>
    public abstract string Summary { get; }

    /// <summary>What follows the name: <c>create NAME --policy FILE</c>, a line for each form.</summary>
    public virtual IReadOnlyList<string> Usage => [""];

    /// <summary>Its options; a value's name is null for a switch.</summary>
    public abstract IReadOnlyList<Option> Options { get; }

    /// <summary>How many words may stand beside the options.</summary>
    public virtual int WordsMax => 0;

    /// <returns>The exit code.</returns>
    public abstract Task<int> Run(Arguments arguments);

    protected UsageException Misused() => new($"'{Name}' is used as: {string.Join("; ", Usage.Select(u => $"althing {Name} {u}"))}.");

    public static Verb Find(IEnumerable<Verb> verbs, string name) =>
        verbs.FirstOrDefault(v => v.Name == name) ?? throw new UsageException($"there is no command '{name}'. 'althing --help' lists all.");
}

/// <param name="Value">What the value is called in help; null for a switch.</param>
/// <param name="Short">Its letter, for those that have one: <c>-t</c>.</param>
sealed record Option(string Name, string? Value, string Summary, char? Short = null);

/// <summary>A command line that cannot be understood; exit code 2.</summary>
sealed class UsageException(string message) : Exception(message);

/// <summary>A command that was understood and failed for a reason worth one line; exit code 1.</summary>
sealed class FailedException(string message) : Exception(message);

/// <summary>A verb's words and options, checked against what it knows.</summary>
sealed class Arguments
{
    readonly Dictionary<string, List<string>> options = new(StringComparer.Ordinal);

    public List<string> Words { get; } = [];

    /// <exception cref="UsageException">An unknown option, a value missing or given to a switch, too many words.</exception>
    public static Arguments Read(IReadOnlyList<string> args, Verb verb)
    {
        var read = new Arguments();
        for (var i = 0; i < args.Count; i++)
        {
            var letter = args[i] is ['-', var only] ? verb.Options.FirstOrDefault(o => o.Short == only) : null;
            if (letter is null && !args[i].StartsWith("--", StringComparison.Ordinal))
            {
                read.Words.Add(args[i]);
                continue;
            }
            var parts = letter is null ? args[i][2..].Split('=', 2) : [letter.Name];
            var option = verb.Options.FirstOrDefault(o => o.Name == parts[0])
                ?? throw new UsageException($"'{verb.Name}' has no option --{parts[0]}. 'althing {verb.Name} --help' lists those it has.");
            if (option.Value is null && parts.Length > 1)
                throw new UsageException($"--{option.Name} takes no value.");
            var value = option.Value is null ? "" : parts.Length > 1 ? parts[1] : i + 1 < args.Count ? args[++i] : throw new UsageException($"--{option.Name} needs a value: {option.Value}.");
            if (!read.options.TryGetValue(option.Name, out var values))
                read.options.Add(option.Name, values = []);
            values.Add(value);
        }
        return read.Words.Count <= verb.WordsMax ? read
            : throw new UsageException($"'{read.Words[verb.WordsMax]}' is one word too many. 'althing {verb.Name} --help' shows how it is used.");
    }

    public bool Has(string name) => options.ContainsKey(name);

    public string? Get(string name) => options.TryGetValue(name, out var values) ? values[^1] : null;

    public IReadOnlyList<string> All(string name) => options.TryGetValue(name, out var values) ? values : [];

    /// <exception cref="UsageException">It is no account id.</exception>
    public AccountId? Account(string name) => Get(name) is { } id ? AccountOf("--" + name, id) : null;

    public static AccountId AccountOf(string where, string id) => id.Length == 12 && id.All(char.IsAsciiDigit) ? new(id)
        : throw new UsageException($"{where} {id} is no account id: it has twelve digits.");

    public int? Port(string name) => Get(name) is not { } text ? null
        : int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var port) && port is >= 0 and <= 65535 ? port
        : throw new UsageException($"--{name} {text} is no port: give 1 to 65535, or 0 for any free one.");
}
