using System.Text.RegularExpressions;
using Althing.Broker;
using Althing.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Ota.Delivery;

/// <summary>The reserved topics of MQTT-based file delivery ("Using AWS IoT MQTT-based file delivery in devices").</summary>
/// <remarks>
/// Answers are published with the request's quality of service, so that a device chooses by how it asks and how it subscribes. Where nobody
/// listens nothing is read. The acknowledgement of a request waits until it is answered.
/// </remarks>
sealed partial class StreamTopics(MqttBroker broker, DeliveryDesk desk, BlockReader streams, ILogger<StreamTopics> logger) : IHostedService, IDisposable
{
    readonly CancellationTokenSource stopping = new();

    /// <summary>Begins to answer; before the first connection.</summary>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        broker.Serve("$aws/things/+/streams/#", Take);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => stopping.CancelAsync();

    public void Dispose() => stopping.Dispose();

    async ValueTask Take(AccountId account, DeliveredMessage message)
    {
        if (Ask.Of(account, message) is not { } ask)
            return;
        string? token = null;
        try
        {
            var members = ask.Verb is null ? throw StreamRefusal.InvalidTopic(message.Message.Topic) : RequestReader.Read(ask.Format, message.Message.Payload, out token);
            var get = ask.Verb == "get" ? GetRequest.Of(members) : null;
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (!desk.TryAdd(account, message.Source?.ClientId ?? "", () => Carry(ask, get, token, done)))
                throw StreamRefusal.RequestThrottled();
            if (ask.QoS > 0)
                await done.Task;
        }
        catch (StreamRefusal refusal)
        {
            await Refuse(ask, refusal, token);
        }
    }

    async Task Carry(Ask ask, GetRequest? get, string? token, TaskCompletionSource done)
    {
        try
        {
            var topic = ask.Topic(get is null ? "description" : "data");
            var stream = await streams.Find(ask.Account, ask.StreamId, stopping.Token);
            if (get is not null)
                await Send(ask, stream, get, topic, token);
            else if (broker.IsHeard(ask.Account, topic))
                await Publish(ask, topic, AnswerWriter.Describe(ask.Format, stream, token));
        }
        catch (StreamRefusal refusal)
        {
            await Refuse(ask, refusal, token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The device asks again when the platform is back.
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogFailed(logger, ask.StreamId, ask.Account, failure);
            await Refuse(ask, StreamRefusal.InternalError(), token);
        }
        finally
        {
            done.TrySetResult();
        }
    }

    async Task Send(Ask ask, Streams.IotStream stream, GetRequest get, string topic, string? token)
    {
        var (file, facts) = await streams.Open(stream, get, stopping.Token);
        var blocks = get.BlocksOf(facts.Bytes);
        if (blocks.Count == 0)
            throw StreamRefusal.ResourceNotFound($"File {file.FileId} has {facts.Bytes} bytes, and none of the blocks asked for.");
        foreach (var block in blocks)
        {
            if (!broker.IsHeard(ask.Account, topic))
                return;
            var offset = (long)block * get.BlockBytes;
            var content = await streams.Read(ask.Account, file, facts, offset, (int)Math.Min(get.BlockBytes, facts.Bytes - offset), stopping.Token);
            await Publish(ask, topic, AnswerWriter.Block(ask.Format, file.FileId, block, content, token));
        }
    }

    async Task Refuse(Ask ask, StreamRefusal refusal, string? token)
    {
        try
        {
            await Publish(ask, ask.Topic("rejected"), AnswerWriter.Refusal(ask.Format, refusal, token));
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogFailed(logger, ask.StreamId, ask.Account, failure);
        }
    }

    ValueTask Publish(Ask ask, string topic, byte[] payload) =>
        broker.Publish(ask.Account, new(topic, payload) { QoS = ask.QoS, CorrelationData = ask.CorrelationData }, CancellationToken.None);

    /// <summary>What a topic asks for.</summary>
    /// <param name="Verb"><c>get</c> or <c>describe</c>; null for a topic on which nothing can be asked.</param>
    sealed partial record Ask(AccountId Account, string Thing, string StreamId, string? Verb, PayloadFormat Format, int QoS, ReadOnlyMemory<byte> CorrelationData)
    {
        /// <summary>Null when there is nobody to answer.</summary>
        public static Ask? Of(AccountId account, DeliveredMessage message)
        {
            var levels = message.Message.Topic.Split('/');
            if (levels.Length < 5 || !ThingNames().IsMatch(levels[2]) || !StreamIds().IsMatch(levels[4]))
                return null;
            var rest = levels.Length == 7 ? levels[5] : "";
            // Answers come by here, too.
            if (rest is "description" or "data" or "rejected")
                return null;
            var format = levels[^1] == "cbor" ? PayloadFormat.Cbor : PayloadFormat.Json;
            var verb = rest is "get" or "describe" && levels[6] is "json" or "cbor" ? rest : null;
            var qos = Math.Min(message.Message.QoS, 1);
            return new(account, levels[2], levels[4], verb, format, qos, message.Message.CorrelationData);
        }

        public string Topic(string last) => $"$aws/things/{Thing}/streams/{StreamId}/{last}/{(Format == PayloadFormat.Cbor ? "cbor" : "json")}";
    }

    [GeneratedRegex(@"^[a-zA-Z0-9:_-]{1,128}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ThingNames();

    [GeneratedRegex(@"^[a-zA-Z0-9_-]{1,128}\z", RegexOptions.CultureInvariant)]
    private static partial Regex StreamIds();

    [LoggerMessage(80, LogLevel.Error, "A request for the stream {Stream} of account {Account} could not be carried out")]
    static partial void LogFailed(ILogger logger, string stream, AccountId account, Exception failure);
}
