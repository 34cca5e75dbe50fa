using System.Text.Json;
using System.Text.Json.Nodes;
using Althing.Mqtt.Packets;

namespace Althing.Simulator;

/// <summary>One device: its model, and its talk with the platform. It lives on while it has no connection.</summary>
sealed class SimulatedDevice
{
    static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);

    /// <summary>A key given twice would otherwise show only when the object is looked into.</summary>
    static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    readonly Scenario scenario;
    readonly string name;
    readonly TimeProvider time;
    readonly DeviceModel model;
    readonly DeviceShadow shadow;
    readonly DeviceJobs jobs;
    readonly TimeSpan[] reportDue;
    readonly double[] eventDue;
    readonly HashSet<string> knownFaults = [];
    readonly Lock gate = new();
    TimeSpan age;

    public SimulatedDevice(Scenario scenario, string name, TimeProvider time)
    {
        (this.scenario, this.name, this.time) = (scenario, name, time);
        model = new(scenario, SeedOf(name));
        shadow = new(name, model);
        jobs = new(name, model);
        // A fleet whose devices all speak in the same second is none.
        reportDue = [.. scenario.Reports.Select(r => r.Every * (Math.Abs(SeedOf(name + r.Topic) % 1000) / 1000.0))];
        eventDue = [.. scenario.Events.Select(e => model.Chance(e.Average))];
    }

    // The same in every process, as string.GetHashCode is not.
    internal static int SeedOf(string text) => text.Aggregate(17, (hash, c) => unchecked((hash * 31) + c));

    string Topic(string template) => template.Replace("{name}", name, StringComparison.Ordinal);

    /// <summary>Connects and reports until the connection ends.</summary>
    public async Task Connected(DeviceAddress address, Action established, CancellationToken cancel)
    {
        var status = $"demo/{scenario.Fleet}/{name}/status";
        var will = new WillMessage(status, """{"connected":false}"""u8.ToArray(), 1, false, null);
        await using var client = await DeviceClient.Connect(address, name, will, time, cancel);
        established();
        await client.Publish(status, """{"connected":true}"""u8.ToArray(), 1, cancel);
        client.Received += Hear;
        if (scenario.Commands is { } commands)
            await client.Subscribe(Topic(commands), 1, cancel);
        await shadow.Begin(client, cancel);
        await jobs.Begin(client, cancel);
        using var timer = new PeriodicTimer(Tick, time);
        while (await timer.WaitForNextTickAsync(cancel))
        {
            if (client.Ended.IsCompleted)
                await client.Ended;
            await Step(client, cancel);
        }
    }

    void Hear(string topic, byte[] payload)
    {
        try
        {
            lock (gate)
            {
                if (!shadow.Take(topic, payload) && !jobs.Take(topic, payload) && JsonNode.Parse(payload, documentOptions: Strict) is JsonObject wishes)
                    model.Command(wishes);
            }
        }
        catch (JsonException)
        {
            // A device of this kind has no way to complain; it does nothing.
        }
    }

    async Task Step(DeviceClient client, CancellationToken cancel)
    {
        List<(string Topic, JsonObject Message, int QoS)> messages;
        (string Topic, JsonObject Message)?[] news;
        lock (gate)
        {
            messages = [.. Next()];
            news = [jobs.Next(age), shadow.Next()];
        }
        foreach (var one in news)
        {
            if (one is { } said)
                await client.Publish(said.Topic, JsonSerializer.SerializeToUtf8Bytes(said.Message), 1, cancel);
        }
        foreach (var (topic, message, qos) in messages)
        {
            message["device"] = name;
            message["time"] = time.GetUtcNow().ToUnixTimeMilliseconds();
            await client.Publish(topic, JsonSerializer.SerializeToUtf8Bytes(message), qos, cancel);
        }
    }

    IEnumerable<(string, JsonObject, int)> Next()
    {
        model.Advance(Tick);
        age += Tick;
        for (var i = 0; i < reportDue.Length; i++)
        {
            if (age < reportDue[i])
                continue;
            var report = scenario.Reports[i];
            reportDue[i] += report.Every;
            yield return (Topic(report.Topic), model.Report(report.Signals), report.QoS);
        }
        for (var i = 0; i < eventDue.Length; i++)
        {
            if (age.TotalSeconds < eventDue[i])
                continue;
            var happens = scenario.Events[i];
            eventDue[i] = age.TotalSeconds + model.Chance(happens.Average);
            var fields = new JsonObject();
            foreach (var (field, words) in happens.Fields)
                fields[field] = model.OneOf(words);
            yield return (Topic(happens.Topic), fields, happens.QoS);
        }
        foreach (var change in FaultChanges())
            yield return ($"demo/{scenario.Fleet}/{name}/faults", change, 1);
    }

    IEnumerable<JsonObject> FaultChanges()
    {
        var active = model.ActiveFaults.ToHashSet();
        foreach (var begun in active.Except(knownFaults).ToList())
        {
            knownFaults.Add(begun);
            yield return new() { ["fault"] = begun, ["active"] = true };
        }
        foreach (var ended in knownFaults.Except(active).ToList())
        {
            knownFaults.Remove(ended);
            yield return new() { ["fault"] = ended, ["active"] = false };
        }
    }
}
