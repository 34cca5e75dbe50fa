using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Althing.Broker;
using Althing.Core;
using Althing.Jobs.Executions;
using Althing.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Jobs.Devices;

/// <summary>The jobs' reserved topics ("Jobs device MQTT API", "Job topics").</summary>
/// <remarks>
/// Answers go to the client that asked and to nobody else, whether or not it has subscribed to them. Topics of a namespace have its name before
/// the verb, as Greengrass cores use them: <c>…/jobs/JOB/namespace-NAME/update</c>.
/// </remarks>
sealed partial class JobTopics(MqttBroker broker, ExecutionDesk desk, TopicAnswers answers, JobLimits limits, TimeProvider clock, ILogger<JobTopics> logger) : IHostedService
{
    readonly ConcurrentDictionary<(AccountId, string), int> inFlight = new();

    /// <summary>Begins to answer; before the first connection.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        broker.Serve("$aws/things/+/jobs/#", Take);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    async ValueTask Take(AccountId account, DeliveredMessage message)
    {
        var parts = message.Message.Topic.Split('/', 5);
        // What the platform itself publishes there, notifications, has no source and is no request.
        if (Address.Of(parts.Length == 5 ? parts[4] : "") is not { } address)
        {
            if (message.Source is not null)
                await Answer(account, message, "/rejected", Refused(new(JobErrorCode.InvalidTopic, $"There is nothing to ask on the topic '{message.Message.Topic}'."), null));
            return;
        }
        // No thing can have such a name: there is nobody to answer.
        if (!ThingNames().IsMatch(parts[2]))
            return;
        var asker = (account, message.Source?.ClientId ?? "");
        string? token = null;
        try
        {
            if (message.Source is not null && inFlight.AddOrUpdate(asker, 1, static (_, n) => n + 1) > limits.RequestsInFlightMax)
                throw new JobRefusal(JobErrorCode.RequestThrottled, $"More than {limits.RequestsInFlightMax} requests of this client are in progress.");
            var request = DeviceJson.Read(message.Message.Payload.Span);
            token = DeviceJson.Text(request, "clientToken");
            var answer = await Carry(account, parts[2], address, request);
            await Answer(account, message, "/accepted", Signed(answer, token));
        }
        catch (JobRefusal refusal)
        {
            await Answer(account, message, "/rejected", Refused(refusal, token));
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogFailed(logger, message.Message.Topic, failure);
            await Answer(account, message, "/rejected", Refused(new(JobErrorCode.InternalError, "The request could not be carried out. Try again."), token));
        }
        finally
        {
            if (message.Source is not null && inFlight.AddOrUpdate(asker, 0, static (_, n) => n - 1) == 0)
                inFlight.TryRemove(new(asker, 0));
        }
    }

    async Task<JsonObject> Carry(AccountId account, string thing, Address address, JsonObject request)
    {
        var (details, step, number) = (DeviceJson.Map(request, "statusDetails"), DeviceJson.Number(request, "stepTimeoutInMinutes"), DeviceJson.Number(request, "executionNumber"));
        switch (address.Verb)
        {
            case "get" when address.JobId is null && !address.IsNext:
                var (inProgress, queued) = PendingLists.Of(await desk.Ask(new PendingRequest(account, thing)));
                return new()
                {
                    ["inProgressJobs"] = JsonSerializer.SerializeToNode(inProgress, DeviceJson.Options),
                    ["queuedJobs"] = JsonSerializer.SerializeToNode(queued, DeviceJson.Options),
                };
            case "start-next":
                return WithExecution(await desk.Ask(new StartNextRequest(account, thing, details, step)));
            case "get":
                var withDocument = DeviceJson.Flag(request, "includeJobDocument") is not false;
                return WithExecution(await desk.Ask(new DescribeRequest(account, thing, address.JobId, address.NamespaceId, number, withDocument)));
            default:
                return await Report(account, thing, address, request, details, step, number);
        }
    }

    async Task<JsonObject> Report(
        AccountId account, string thing, Address address, JsonObject request, IReadOnlyDictionary<string, string>? details, long? step, long? number)
    {
        var text = DeviceJson.Text(request, "status") ?? throw ExecutionRules.Invalid("'status' is missing.");
        if (!Enum.GetNames<ExecutionStatus>().Contains(text))
            throw ExecutionRules.Invalid($"'{text}' at 'status' is not a state of an execution.");
        var report = new DeviceReport(Enum.Parse<ExecutionStatus>(text), details, step, DeviceJson.Number(request, "expectedVersion"));
        var (withState, withDocument) = (DeviceJson.Flag(request, "includeJobExecutionState") is true, DeviceJson.Flag(request, "includeJobDocument") is true);
        var reported = (Reported)(await desk.Ask(new ReportRequest(account, thing, address.JobId!, address.NamespaceId, number, report, withDocument)))!;
        JsonObject answer = [];
        if (withState)
            answer["executionState"] = JsonSerializer.SerializeToNode(ExecutionState.Of(reported.Execution), DeviceJson.Options);
        if (reported.Document is not null)
            answer["jobDocument"] = JsonNode.Parse(reported.Document);
        return answer;
    }

    JsonObject WithExecution(object? found) =>
        found is Described described ? new() { ["execution"] = ExecutionData.Of(described, clock.GetUtcNow()).ToMqtt() } : [];

    JsonObject Signed(JsonObject answer, string? token)
    {
        answer["timestamp"] = clock.GetUtcNow().ToUnixTimeSeconds();
        if (token is not null)
            answer["clientToken"] = token;
        return answer;
    }

    JsonObject Refused(JobRefusal refusal, string? token)
    {
        var answer = new JsonObject { ["code"] = refusal.Code.ToString(), ["message"] = refusal.Message };
        if (refusal.Execution is { } execution && refusal.Code is JobErrorCode.InvalidStateTransition or JobErrorCode.VersionMismatch)
            answer["executionState"] = JsonSerializer.SerializeToNode(ExecutionState.Of(execution), DeviceJson.Options);
        return Signed(answer, token);
    }

    ValueTask Answer(AccountId account, DeliveredMessage asked, string last, JsonObject document) =>
        answers.Give(account, asked, asked.Message.Topic + last, DeviceJson.Write(document));

    /// <summary>What stands behind <c>$aws/things/THING/jobs/</c>.</summary>
    sealed partial record Address(string Verb, string? JobId, bool IsNext, string? NamespaceId)
    {
        public static Address? Of(string rest)
        {
            if (rest is "get" or "start-next")
                return new(rest, null, false, null);
            if (Form().Match(rest) is not { Success: true } match)
                return null;
            var (job, verb) = (match.Groups["job"].Value, match.Groups["verb"].Value);
            var space = match.Groups["space"] is { Success: true } named ? named.Value : null;
            return job == "$next" ? (verb == "get" ? new(verb, null, true, space) : null) : new(verb, job, false, space);
        }

        [GeneratedRegex(@"^(?<job>\$next|[a-zA-Z0-9_-]{1,64})/(namespace-(?<space>[a-zA-Z0-9_-]+)/)?(?<verb>get|update)\z", RegexOptions.CultureInvariant)]
        private static partial Regex Form();
    }

    [GeneratedRegex(@"^[a-zA-Z0-9:_-]{1,128}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ThingNames();

    [LoggerMessage(72, LogLevel.Error, "The request on {Topic} could not be carried out")]
    static partial void LogFailed(ILogger logger, string topic, Exception failure);
}
