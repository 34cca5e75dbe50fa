using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Althing.Host.Terminal;

namespace Althing.Host.Verbs;

/// <summary><c>althing sub</c>: prints messages as they come.</summary>
sealed class SubVerb : Verb
{
    static readonly JsonSerializerOptions Pretty = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override string Name => "sub";
    public override string Summary => "Print messages as they come, as the administrator or as a device";
    public override IReadOnlyList<string> Usage => ["-t FILTER [-t FILTER...] [OPTION...]"];
    public override IReadOnlyList<Option> Options =>
    [
        new("topic", "FILTER", "What to hear: + stands for one level, # for all that follow. May be given more than once", 't'),
        new("verbose", null, "Print the topic before each message", 'v'),
        new("count", "N", "End after so many messages", 'C'),
        new("wait", "SECONDS", "End when so long is over; exit code 27, if --count messages did not come by then", 'W'),
        new("json", null, "Set out JSON in lines"),
        .. TerminalDoor.Options,
    ];

    /// <summary>As mosquitto_sub has it, for scripts that know that one.</summary>
    const int TimeIsOver = 27;

    public override async Task<int> Run(Arguments arguments)
    {
        var filters = arguments.All("topic");
        if (filters.Count == 0)
            throw Misused();
        if (filters.FirstOrDefault(f => !Mqtt.Topic.IsValidFilter(Mqtt.Topic.SplitShared(f).Filter)) is { } wrong)
            throw new UsageException($"'{wrong}' is no topic filter: + and # stand alone in their level, # in the last.");
        var (left, seconds, qos) = (Number(arguments, "count"), Number(arguments, "wait"), TerminalDoor.QoS(arguments));
        using var over = new CancellationTokenSource();
        using var interrupted = new CancellationTokenSource();
        Console.CancelKeyPress += (_, e) =>
        {
            e.Cancel = true;
            interrupted.Cancel();
        };
        if (seconds is { } limit)
            over.CancelAfter(TimeSpan.FromSeconds(limit));
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, interrupted.Token);
        try
        {
            await using var talk = await TerminalDoor.Open(arguments, either.Token);
            await talk.Subscribe(filters, qos, either.Token);
            for (; left is not 0; left--)
                Print(talk.Waiting ?? await talk.Hear(either.Token), arguments);
            return 0;
        }
        catch (OperationCanceledException)
        {
            return over.IsCancellationRequested ? TimeIsOver : 0;
        }
        catch (Exception failure) when (failure is IOException or System.Net.WebSockets.WebSocketException)
        {
            throw new FailedException($"The connection broke: {failure.Message}");
        }
    }

    static int? Number(Arguments arguments, string name) => arguments.Get(name) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number
        : throw new UsageException($"--{name} {text} is no number from 1.");

    static void Print(Heard heard, Arguments arguments)
    {
        using var output = Console.OpenStandardOutput();
        if (arguments.Has("verbose"))
            output.Write(ForScreen(Encoding.UTF8.GetBytes(heard.Topic + " ")));
        output.Write(ForScreen(arguments.Has("json") ? SetOut(heard.Payload) : heard.Payload));
        output.WriteByte((byte)'\n');
        output.Flush();
    }

    static byte[] SetOut(byte[] payload)
    {
        try
        {
            using var json = JsonDocument.Parse(payload);
            return JsonSerializer.SerializeToUtf8Bytes(json.RootElement, Pretty);
        }
        catch (JsonException)
        {
            return payload;
        }
    }

    /// <summary>What a device sends must not command a terminal; files and pipes get every byte.</summary>
    static byte[] ForScreen(byte[] bytes) => Console.IsOutputRedirected ? bytes : [.. bytes.Select(b => b is (byte)'\n' or (byte)'\t' or >= 32 and not 127 ? b : (byte)'?')];
}
