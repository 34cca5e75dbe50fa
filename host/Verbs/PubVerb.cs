using System.Text;
using Althing.Host.Terminal;

namespace Althing.Host.Verbs;

/// <summary><c>althing pub</c>: publishes from the terminal.</summary>
sealed class PubVerb : Verb
{
    /// <summary>The options that say what the messages are.</summary>
    static readonly string[] Kinds = ["message", "file", "lines", "null"];

    public override string Name => "pub";
    public override string Summary => "Publish a message, as the administrator or as a device";
    public override IReadOnlyList<string> Usage => ["-t TOPIC -m MESSAGE [OPTION...]", "-t TOPIC -f FILE [OPTION...]", "-t TOPIC -l [OPTION...]", "-t TOPIC -n -r [OPTION...]"];
    public override IReadOnlyList<Option> Options =>
    [
        new("topic", "TOPIC", "Where to", 't'),
        new("message", "TEXT", "The message", 'm'),
        new("file", "FILE", "The message is what the file has", 'f'),
        new("lines", null, "A message for each line of the standard input", 'l'),
        new("null", null, "An empty message; with -r it deletes the retained one", 'n'),
        new("retain", null, "Keep it for those who subscribe later", 'r'),
        .. TerminalDoor.Options,
    ];

    public override async Task<int> Run(Arguments arguments)
    {
        var topic = arguments.Get("topic") ?? throw Misused();
        if (!Mqtt.Topic.IsValidName(topic))
            throw new UsageException($"'{topic}' is no topic: it must not be empty or have + or #.");
        var (qos, retain) = (TerminalDoor.QoS(arguments), arguments.Has("retain"));
        if (Kinds.Count(arguments.Has) != 1)
            throw new UsageException("give one of --message, --file, --lines and --null.");
        var messages = Messages(arguments);
        await using var talk = await TerminalDoor.Open(arguments, CancellationToken.None);
        foreach (var message in messages)
            await talk.Publish(topic, message, qos, retain, CancellationToken.None);
        return 0;
    }

    static IEnumerable<byte[]> Messages(Arguments arguments)
    {
        if (arguments.Has("lines"))
            return Lines();
        return [arguments.Get("file") is { } file ? Bytes(file) : Encoding.UTF8.GetBytes(arguments.Get("message") ?? "")];
    }

    static IEnumerable<byte[]> Lines()
    {
        while (Console.In.ReadLine() is { } line)
            yield return Encoding.UTF8.GetBytes(line);
    }

    static byte[] Bytes(string file)
    {
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new FailedException($"'{file}' cannot be read: {failure.Message}");
        }
    }
}
