using Althing.Broker;
using Althing.Mqtt;
using Althing.Storage;
using Microsoft.Extensions.Logging;

namespace Althing.Core;

/// <summary>
/// Answers to requests on reserved topics. They go to the client that asked and to nobody else, whether or not it has subscribed to them: some
/// devices, such as Greengrass nucleus lite, do not.
/// </summary>
public sealed partial class TopicAnswers(MqttBroker broker, ILogger<TopicAnswers> logger)
{
    /// <summary>How long a client may take to confirm an answer.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Sends an answer behind the caller's back; what was asked by an API's Publish, where no client is known to have asked, is published.</summary>
    /// <param name="topic">What is added to the request's topic, such as <c>/accepted</c>, has been.</param>
    public async ValueTask Give(AccountId account, DeliveredMessage asked, string topic, ReadOnlyMemory<byte> payload)
    {
        var answer = new OutgoingMessage(topic, payload) { CorrelationData = asked.Message.CorrelationData };
        if (asked.Source is not { } source)
        {
            await broker.Publish(account, answer with { QoS = 1 }, CancellationToken.None);
            return;
        }
        var subscribed = (broker.SubscriptionsOf(account, source.ClientId) ?? []).Where(s => Topic.Matches(s.Filter, topic)).ToList();
        _ = Send(account, source.ClientId, answer, surely: subscribed.Any(s => s.QoS > 0));
    }

    /// <param name="surely">The client has subscribed so that it confirms what it gets.</param>
    async Task Send(AccountId account, string client, OutgoingMessage answer, bool surely)
    {
        try
        {
            var outcome = await broker.SendDirect(account, client, answer, surely ? Patience : null, CancellationToken.None);
            if (outcome == DirectOutcome.Busy)
                outcome = await broker.SendDirect(account, client, answer, null, CancellationToken.None);
            if (outcome is not (DirectOutcome.Sent or DirectOutcome.Confirmed))
                LogUnanswered(logger, answer.Topic, client, outcome);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogFailed(logger, answer.Topic, client, failure);
        }
    }

    [LoggerMessage(73, LogLevel.Information, "The answer on {Topic} did not reach the client {ClientId}: {Why}")]
    static partial void LogUnanswered(ILogger logger, string topic, string clientId, DirectOutcome why);

    [LoggerMessage(74, LogLevel.Error, "The answer on {Topic} could not be sent to the client {ClientId}")]
    static partial void LogFailed(ILogger logger, string topic, string clientId, Exception failure);
}
