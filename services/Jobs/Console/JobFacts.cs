using System.Globalization;
using System.Text.Json.Nodes;

namespace Althing.Jobs.Console;

/// <summary>How a job goes out, in words.</summary>
static class JobFacts
{
    public static IEnumerable<(string Name, string Value)> Of(JsonObject job)
    {
        if (job["jobExecutionsRolloutConfig"] is JsonObject rollout)
            yield return ("Pace", Pace(rollout));
        if (job["abortConfig"]?["criteriaList"] is JsonArray abort)
            yield return ("Stops by itself", string.Join("; ", abort.Select(c => $"when {Number(c!["thresholdPercentage"])} % are {Failure(c["failureType"])}, of at least {Number(c["minNumberOfExecutedThings"])}")));
        if (job["timeoutConfig"]?["inProgressTimeoutInMinutes"] is { } minutes)
            yield return ("Time-out", $"{Number(minutes)} minutes from when a device begins");
        if (job["jobExecutionsRetryConfig"]?["criteriaList"] is JsonArray retries)
            yield return ("Tries again", string.Join("; ", retries.Select(c => $"up to {Number(c!["numberOfRetries"])} times when {Failure(c["failureType"])}")));
        if (job["schedulingConfig"] is JsonObject schedule)
            yield return ("Schedule", Schedule(schedule));
        if ((string?)job["namespaceId"] is { } space)
            yield return ("Namespace", space);
        if ((string?)job["jobTemplateArn"] is { } template)
            yield return ("Template", template.Split('/', 2)[^1]);
        if (job["destinationPackageVersions"] is JsonArray { Count: > 0 } packages)
            yield return ("Brings", string.Join(", ", packages.Select(p => ((string)p!).Split(':', 6)[^1])));
    }

    static string Pace(JsonObject rollout)
    {
        var most = rollout["maximumPerMinute"] is { } max ? $"at most {Number(max)} devices a minute" : "";
        if (rollout["exponentialRate"] is not JsonObject rate)
            return most;
        var after = rate["rateIncreaseCriteria"] is JsonObject criteria && criteria["numberOfSucceededThings"] is { } succeeded
            ? $"{Number(succeeded)} more have succeeded" : $"{Number(rate["rateIncreaseCriteria"]?["numberOfNotifiedThings"])} more are told";
        return $"{Number(rate["baseRatePerMinute"])} devices a minute, {Number(rate["incrementFactor"])} times as many each time that {after}" + (most.Length > 0 ? ", " + most : "");
    }

    static string Schedule(JsonObject schedule)
    {
        List<string> parts = [];
        if ((string?)schedule["startTime"] is { } start)
            parts.Add($"from {start}");
        if ((string?)schedule["endTime"] is { } end)
            parts.Add($"until {end}, then {JobsConsole.Word((string?)schedule["endBehavior"] ?? "STOP_ROLLOUT")}");
        if (schedule["maintenanceWindows"] is JsonArray { Count: > 0 } windows)
            parts.AddRange(windows.Select(w => $"{(string?)w!["startTime"]} for {Number(w["durationInMinutes"])} minutes"));
        return string.Join("; ", parts);
    }

    static string Failure(JsonNode? type) => (string?)type is "ALL" ? "failed, rejected or timed out" : JobsConsole.Word((string?)type);

    static string Number(JsonNode? value) => ((double?)value ?? 0).ToString("0.##", CultureInfo.InvariantCulture);
}
