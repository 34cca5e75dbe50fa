using System.Text.Json;
using System.Text.Json.Nodes;

namespace Althing.Simulator;

/// <summary>
/// A simulated device's side of its shadow: it does what is wanted of it, and reports its settings, faults and firmware whenever they change and
/// each time it has connected.
/// </summary>
sealed class DeviceShadow(string name, DeviceModel model)
{
    static readonly JsonDocumentOptions Json = new() { MaxDepth = 32 };
    readonly string prefix = $"$aws/things/{name}/shadow/";
    string? reported;

    /// <summary>Asks what was wanted while the device was away, and listens from then on.</summary>
    public async Task Begin(DeviceClient client, CancellationToken cancel)
    {
        reported = null;
        await client.Subscribe(prefix + "update/delta", 1, cancel);
        await client.Subscribe(prefix + "get/accepted", 1, cancel);
        await client.Publish(prefix + "get", default, 1, cancel);
    }

    /// <summary>A message of the shadow's topics is obeyed: settings that the device has are set, others it does not know.</summary>
    /// <returns>False for a message of another topic.</returns>
    public bool Take(string topic, byte[] payload)
    {
        if (!topic.StartsWith(prefix, StringComparison.Ordinal))
            return false;
        var state = JsonNode.Parse(payload, documentOptions: Json)?["state"];
        if ((topic.EndsWith("/delta", StringComparison.Ordinal) ? state : state?["delta"]) is JsonObject wanted)
            model.Command(wanted);
        return true;
    }

    /// <summary>The report, when there is something new to say.</summary>
    public (string Topic, JsonObject Message)? Next()
    {
        var state = model.Settings();
        state["faults"] = new JsonArray([.. model.ActiveFaults.Order(StringComparer.Ordinal).Select(f => JsonValue.Create(f))]);
        state["firmware"] = model.Firmware;
        var text = state.ToJsonString();
        if (text == reported)
            return null;
        reported = text;
        return (prefix + "update", new() { ["state"] = new JsonObject { ["reported"] = state } });
    }
}
