using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Althing.Broker;
using Althing.Commands.Executions;
using Althing.Core;
using Althing.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Commands.Devices;

/// <summary>Where devices say what becomes of commands ("Commands topics"), in JSON or CBOR.</summary>
sealed partial class CommandTopics(MqttBroker broker, CommandDesk desk, TopicAnswers answers, ILogger<CommandTopics> logger) : IHostedService
{
    /// <summary>Service quota: values of a result.</summary>
    const int ResultsMax = 50;

    /// <summary>Begins to answer; before the first connection.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        broker.Serve("$aws/commands/+/+/executions/+/response/+", Take);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    async ValueTask Take(AccountId account, DeliveredMessage message)
    {
        var levels = message.Message.Topic.Split('/');
        var (devices, device, id, format) = (levels[2], levels[3], levels[5], levels[7]);
        // There is no such topic, so nothing to answer on.
        if (devices is not ("things" or "clients") || !DevicePayload.IsFormat(format))
            return;
        var response = message.Message.Topic[..^(format.Length + 1)];
        try
        {
            var target = (devices == "things" ? "thing/" : "client/") + device;
            await desk.Report(account, target, id, Read(format, message.Message.Payload));
            await Answer("accepted", new() { ["executionId"] = id });
        }
        catch (CommandRefusal refusal)
        {
            await Answer("rejected", Refused(refusal.Code, refusal.Message));
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogFailed(logger, message.Message.Topic, failure);
            await Answer("rejected", Refused(CommandErrorCode.InternalError, "The update could not be kept. Try again."));
        }

        JsonObject Refused(CommandErrorCode code, string text) => new() { ["error"] = code.ToString(), ["errorMessage"] = text, ["executionId"] = id };

        ValueTask Answer(string last, JsonObject document) => answers.Give(account, message, $"{response}/{last}/{format}", DevicePayload.Write(format, document));
    }

    static DeviceReport Read(string format, ReadOnlyMemory<byte> payload)
    {
        JsonObject report;
        try
        {
            report = DevicePayload.Read(format, payload, bytesAsText: false);
        }
        catch (FormatException malformed)
        {
            throw new CommandRefusal(CommandErrorCode.InvalidJson, malformed.Message);
        }
        var text = Text(report, "status") ?? throw Invalid("'status' is missing.");
        if (!Enum.GetNames<CommandStatus>().Contains(text))
            throw Invalid($"'{text}' at 'status' is not a state of an execution.");
        return new(Enum.Parse<CommandStatus>(text), Reason(report["statusReason"]), Results(report["result"]));
    }

    static StatusReason? Reason(JsonNode? node)
    {
        if (node is null)
            return null;
        var reason = node as JsonObject ?? throw Invalid("'statusReason' is no object.");
        var code = Text(reason, "reasonCode") ?? throw Invalid("'statusReason.reasonCode' is missing.");
        var description = Text(reason, "reasonDescription");
        if (!ReasonCodes().IsMatch(code))
            throw Invalid("'statusReason.reasonCode' must have at most 64 of the characters A-Z, 0-9, _ and -.");
        if (description is { Length: > 1024 })
            throw Invalid("'statusReason.reasonDescription' has more than 1024 characters.");
        return new() { ReasonCode = code, ReasonDescription = description };
    }

    static Dictionary<string, CommandExecutionResult>? Results(JsonNode? node)
    {
        if (node is null)
            return null;
        var members = node as JsonObject ?? throw Invalid("'result' is no object.");
        if (members.Count > ResultsMax)
            throw Invalid($"'result' has {members.Count} values; {ResultsMax} are the most.");
        if (members.FirstOrDefault(m => !ResultNames().IsMatch(m.Key)).Key is { } wrong)
            throw Invalid($"'{wrong}' in 'result' is not a name of 1 to 32 letters, digits, _ and -.");
        return members.Count == 0 ? null : members.ToDictionary(m => m.Key, m => Result(m.Key, m.Value as JsonObject), StringComparer.Ordinal);
    }

    /// <summary>One of a text <c>s</c>, a truth <c>b</c> and bytes <c>bin</c>, in small letters or, as the API has them, large ones.</summary>
    static CommandExecutionResult Result(string name, JsonObject? value)
    {
        var given = value?.Where(m => m.Value is not null).ToList();
        if (given is not [{ Key: var kind, Value: JsonValue content }])
            throw Invalid($"'{name}' in 'result' must be an object with one of s, b and bin.");
        return kind.ToUpperInvariant() switch
        {
            "S" when content.TryGetValue(out string? text) => new() { S = text },
            "B" when content.TryGetValue(out bool truth) => new() { B = truth },
            "BIN" when content.TryGetValue(out string? coded) && Bytes(coded) is { } bytes => new() { BIN = bytes },
            _ => throw Invalid($"'{name}' in 'result' must have a text as s, a truth as b, or Base64 as bin."),
        };
    }

    static byte[]? Bytes(string coded)
    {
        var bytes = new byte[coded.Length];
        return Convert.TryFromBase64String(coded, bytes, out var count) ? bytes[..count] : null;
    }

    static string? Text(JsonObject parent, string member) => parent[member] switch
    {
        null => null,
        JsonValue value when value.TryGetValue(out string? text) => text,
        _ => throw Invalid($"'{member}' is no text."),
    };

    static CommandRefusal Invalid(string message) => new(CommandErrorCode.InvalidRequest, message);

    [GeneratedRegex(@"^[A-Z0-9_-]{1,64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ReasonCodes();

    [GeneratedRegex(@"^[a-zA-Z0-9_-]{1,32}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ResultNames();

    [LoggerMessage(80, LogLevel.Error, "The message on {Topic} could not be taken")]
    static partial void LogFailed(ILogger logger, string topic, Exception failure);
}
