using System.Text.Json.Nodes;
using Althing.Storage;

namespace Althing.Core.Shadows;

enum ShadowVerb { Get, Update, Delete }

/// <summary>Something asked of a shadow.</summary>
/// <param name="ShadowName">Empty for the classic shadow.</param>
/// <param name="Asker">The client id of a device that asks over MQTT, which is answered there; null for callers of the API.</param>
sealed record ShadowRequest(AccountId Account, string ThingName, string ShadowName, ShadowVerb Verb, ReadOnlyMemory<byte> Payload, string? Asker)
{
    /// <summary>It came over MQTT: refusals are published.</summary>
    public bool ByTopic { get; init; }

    public string Key => Shadow.KeyOf(ThingName, ShadowName);

    /// <summary>The topic of a message about this request, such as <c>…/update/accepted</c>.</summary>
    public string Topic(string last) =>
        ShadowName.Length == 0 ? $"$aws/things/{ThingName}/shadow/{last}" : $"$aws/things/{ThingName}/shadow/name/{ShadowName}/{last}";
}

/// <summary>What a request leads to: the shadow as it is afterwards, and the documents that are published about it.</summary>
/// <param name="After">Null when the request changes nothing.</param>
/// <param name="Answer">Makes the answer's document.</param>
/// <param name="Messages">Topics, with what makes their documents: most have no subscriber, and then nothing is made.</param>
sealed record ShadowOutcome(Shadow? After, Func<JsonObject> Answer, IReadOnlyList<(string Topic, Func<JsonObject> Document)> Messages);

/// <summary>The shadow's rules, without storage and messages ("Interacting with shadows", "Device Shadow service documents").</summary>
static class ShadowRules
{
    /// <param name="row">What is stored; null for nothing. It may be one that was deleted.</param>
    /// <exception cref="ShadowRefusal">The request cannot be met.</exception>
    public static ShadowOutcome Apply(Shadow? row, ShadowRequest request, DateTimeOffset now) => request.Verb switch
    {
        ShadowVerb.Get => Get(Living(row, request), request, now),
        ShadowVerb.Update => Update(row, request, now),
        _ => Delete(Living(row, request), request, now),
    };

    static Shadow Living(Shadow? row, ShadowRequest request) =>
        row is { DeletedAt: null } ? row : throw new ShadowRefusal(404, ShadowRefusal.NotFound(request.ShadowName).Message) { ClientToken = ShadowUpdate.TokenOf(request.Payload.Span) };

    static ShadowOutcome Get(Shadow shadow, ShadowRequest request, DateTimeOffset now)
    {
        return new(null, Answer, request.ByTopic ? [("get/accepted", Answer)] : []);

        JsonObject Answer()
        {
            var (state, metadata) = Parts(shadow);
            if (ShadowTree.Delta(shadow.Desired, shadow.DesiredTimes, shadow.Reported) is { } delta)
                state["delta"] = delta.State;
            return Finish(new() { ["state"] = state, ["metadata"] = metadata }, shadow.Version, now, ShadowUpdate.TokenOf(request.Payload.Span));
        }
    }

    static ShadowOutcome Delete(Shadow shadow, ShadowRequest request, DateTimeOffset now)
    {
        var after = shadow with { Desired = null, Reported = null, DesiredTimes = null, ReportedTimes = null, DeletedAt = now };
        return new(after, Answer, [("delete/accepted", Answer)]);

        JsonObject Answer() => Finish([], shadow.Version, now, ShadowUpdate.TokenOf(request.Payload.Span));
    }

    static ShadowOutcome Update(Shadow? row, ShadowRequest request, DateTimeOffset now)
    {
        var update = ShadowUpdate.Read(request.Payload.Span);
        if (row?.DeletedAt is { } gone && now - gone >= Shadow.Remembered)
            row = null;
        if (update.Version is { } expected && expected != (row?.Version ?? 0))
            throw new ShadowRefusal(409, "Version conflict") { ClientToken = update.ClientToken };
        var seconds = now.ToUnixTimeSeconds();
        var (desired, desiredTimes) = Merge(row?.Desired, row?.DesiredTimes, update.Desired, update.ClearsAll || update.ClearsDesired, seconds);
        var (reported, reportedTimes) = Merge(row?.Reported, row?.ReportedTimes, update.Reported, update.ClearsAll || update.ClearsReported, seconds);
        if (Bytes(desired) + Bytes(reported) > ShadowUpdate.StateBytesMax)
            throw new ShadowRefusal(413, "The payload exceeds the maximum size allowed") { ClientToken = update.ClientToken };
        var after = new Shadow
        {
            Account = request.Account,
            ThingName = request.ThingName,
            ShadowName = request.ShadowName,
            Version = (row?.Version ?? 0) + 1,
            Desired = desired,
            DesiredTimes = desiredTimes,
            Reported = reported,
            ReportedTimes = reportedTimes,
        };
        List<(string, Func<JsonObject>)> messages = [("update/accepted", Answer)];
        if (ShadowTree.Differ(desired, reported))
            messages.Add(("update/delta", () => Delta(after, update.ClientToken, seconds)));
        messages.Add(("update/documents", () => Documents(row is { DeletedAt: null } ? row : null, after, update.ClientToken, seconds)));
        return new(after, Answer, messages);

        JsonObject Answer() => Accepted(update, after.Version, now);
    }

    static JsonObject Delta(Shadow shadow, string? token, long seconds)
    {
        var (state, times) = ShadowTree.Delta(shadow.Desired, shadow.DesiredTimes, shadow.Reported)!.Value;
        var document = new JsonObject { ["version"] = shadow.Version, ["timestamp"] = seconds, ["state"] = state, ["metadata"] = times };
        if (token is not null)
            document["clientToken"] = token;
        return document;
    }

    static (JsonObject? State, JsonObject? Times) Merge(JsonObject? state, JsonObject? times, JsonObject? patch, bool clears, long now)
    {
        if (clears)
            return (null, null);
        if (patch is null)
            return (state, times);
        var (merged, stamped) = ((JsonObject?)state?.DeepClone() ?? [], (JsonObject?)times?.DeepClone() ?? []);
        ShadowTree.Merge(merged, stamped, patch, now);
        return merged.Count > 0 ? (merged, stamped) : (null, null);
    }

    static int Bytes(JsonObject? state) => state is null ? 0 : ShadowTree.Write(state).Length;

    /// <summary>The answer names what the request named, and no more.</summary>
    static JsonObject Accepted(ShadowUpdate update, long version, DateTimeOffset now)
    {
        var (state, metadata) = (new JsonObject(), new JsonObject());
        foreach (var (name, patch, clears) in new[] { ("desired", update.Desired, update.ClearsDesired), ("reported", update.Reported, update.ClearsReported) })
        {
            if (patch is not null)
                (state[name], metadata[name]) = (patch.DeepClone(), ShadowTree.Stamp(patch, now.ToUnixTimeSeconds()));
            else if (clears)
                state[name] = null;
        }
        var answer = new JsonObject { ["state"] = update.ClearsAll ? null : state, ["metadata"] = metadata };
        return Finish(answer, version, now, update.ClientToken);
    }

    static JsonObject Documents(Shadow? before, Shadow after, string? token, long seconds)
    {
        var documents = new JsonObject { ["previous"] = Whole(before), ["current"] = Whole(after), ["timestamp"] = seconds };
        if (token is not null)
            documents["clientToken"] = token;
        return documents;

        static JsonObject Whole(Shadow? shadow)
        {
            if (shadow is null)
                return new() { ["state"] = new JsonObject(), ["metadata"] = new JsonObject(), ["version"] = 0 };
            var (state, metadata) = Parts(shadow);
            return new() { ["state"] = state, ["metadata"] = metadata, ["version"] = shadow.Version };
        }
    }

    static (JsonObject State, JsonObject Metadata) Parts(Shadow shadow)
    {
        var (state, metadata) = (new JsonObject(), new JsonObject());
        if (shadow.Desired is not null)
            (state["desired"], metadata["desired"]) = (shadow.Desired.DeepClone(), shadow.DesiredTimes?.DeepClone());
        if (shadow.Reported is not null)
            (state["reported"], metadata["reported"]) = (shadow.Reported.DeepClone(), shadow.ReportedTimes?.DeepClone());
        return (state, metadata);
    }

    static JsonObject Finish(JsonObject answer, long version, DateTimeOffset now, string? token)
    {
        answer["version"] = version;
        answer["timestamp"] = now.ToUnixTimeSeconds();
        if (token is not null)
            answer["clientToken"] = token;
        return answer;
    }
}
