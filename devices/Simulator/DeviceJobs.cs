using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Althing.Simulator;

/// <summary>
/// A simulated device's side of jobs ("Jobs device MQTT API operations"): it takes one job after the other, works on its steps for a while,
/// tells how far it is, and ends well, or now and then not.
/// </summary>
/// <remarks>What it is told to do changes nothing but its firmware's version, which its shadow shows.</remarks>
sealed class DeviceJobs(string name, DeviceModel model)
{
    /// <summary>One step takes so long, and one of so many devices fails at a job.</summary>
    static readonly TimeSpan StepTime = TimeSpan.FromSeconds(4);
    const int OneFailsOf = 16;

    /// <summary>An answer that does not come is asked for again.</summary>
    static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(30);

    static readonly JsonDocumentOptions Json = new() { MaxDepth = 64 };
    static readonly string[] DefaultSteps = ["download", "verify", "install"];

    readonly string prefix = $"$aws/things/{name}/jobs/";
    Work? work;
    TimeSpan now;
    TimeSpan askAgain;
    bool asks;

    sealed class Work
    {
        public required string JobId { get; init; }
        public required IReadOnlyList<string> Steps { get; init; }
        public required string? Firmware { get; init; }
        public required bool Fails { get; init; }
        public required TimeSpan Due { get; set; }
        public int Done { get; set; }
    }

    /// <summary>Listens for jobs, and asks for one that waits.</summary>
    public async Task Begin(DeviceClient client, CancellationToken cancel)
    {
        (work, asks) = (null, true);
        await client.Subscribe(prefix + "notify-next", 1, cancel);
        await client.Subscribe(prefix + "start-next/accepted", 1, cancel);
        await client.Subscribe(prefix + "+/update/rejected", 1, cancel);
    }

    /// <summary>A message of the jobs' topics is obeyed.</summary>
    /// <returns>False for a message of another topic.</returns>
    public bool Take(string topic, byte[] payload)
    {
        if (!topic.StartsWith(prefix, StringComparison.Ordinal))
            return false;
        var message = JsonNode.Parse(payload, documentOptions: Json) as JsonObject;
        switch (topic[prefix.Length..])
        {
            case "notify-next":
                asks |= message?["execution"] is JsonObject next && (string?)next["jobId"] != work?.JobId;
                break;
            case "start-next/accepted":
                asks = false;
                work = message?["execution"] is JsonObject execution ? Start(execution) : null;
                break;
            default:
                // Cancelled, timed out or changed by somebody else: whatever it is, it is not ours any more.
                (work, asks) = (null, true);
                break;
        }
        return true;
    }

    Work Start(JsonObject execution)
    {
        var id = (string)execution["jobId"]!;
        var document = execution["jobDocument"] as JsonObject ?? [];
        return new()
        {
            JobId = id,
            Steps = StepsOf(document),
            Firmware = TextOf(document, "version") ?? TextOf(document["firmware"] as JsonObject, "version"),
            Fails = (uint)SimulatedDevice.SeedOf(name + id) % OneFailsOf == 0,
            Due = now + StepTime,
        };
    }

    /// <summary>The names of the steps of a managed template's document; other documents are a download.</summary>
    static IReadOnlyList<string> StepsOf(JsonObject document)
    {
        if (document["steps"] is JsonArray { Count: > 0 } steps)
            return [.. steps.Select((s, i) => TextOf((s as JsonObject)?["action"] as JsonObject, "name") ?? string.Create(CultureInfo.InvariantCulture, $"step {i + 1}"))];
        return TextOf(document, "operation") is { } operation ? [operation] : DefaultSteps;
    }

    static string? TextOf(JsonObject? parent, string member) => parent?[member] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    /// <summary>What is to be said next, if anything.</summary>
    public (string Topic, JsonObject Message)? Next(TimeSpan age)
    {
        now = age;
        if (work is null)
        {
            if (!asks || now < askAgain)
                return null;
            askAgain = now + AnswerTime;
            return (prefix + "start-next", []);
        }
        if (now < work.Due)
            return null;
        work.Due += StepTime;
        return (prefix + work.JobId + "/update", Progress(work));
    }

    JsonObject Progress(Work work)
    {
        var step = work.Steps[work.Done];
        if (work.Fails && work.Done == work.Steps.Count - 1)
            return End("FAILED", new() { ["step"] = step, ["reason"] = "not enough power to go on" });
        work.Done++;
        var details = new JsonObject { ["step"] = step, ["progress"] = string.Create(CultureInfo.InvariantCulture, $"{100 * work.Done / work.Steps.Count}%") };
        if (work.Done < work.Steps.Count)
            return new() { ["status"] = "IN_PROGRESS", ["statusDetails"] = details };
        model.Firmware = work.Firmware ?? model.Firmware;
        return End("SUCCEEDED", details);
    }

    JsonObject End(string status, JsonObject details)
    {
        (work, asks, askAgain) = (null, true, now);
        return new() { ["status"] = status, ["statusDetails"] = details };
    }
}
