using System.Text.Json.Nodes;
using Althing.Broker;
using Althing.Core.Authority;
using Althing.Identity;
using Althing.Mqtt;
using Althing.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Core.Provisioning.Fleet;

/// <summary>The reserved topics of fleet provisioning. Answers hold private keys: they go to the client that asked, and to nobody else.</summary>
sealed partial class FleetTopics(MqttBroker broker, FleetDesk desk, FleetUpkeep upkeep, TimeProvider clock, ILogger<FleetTopics> logger) : BackgroundService
{
    static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(10);

    /// <summary>How long an answer waits for its acknowledgement before nobody waits any more; the client asks again.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Begins to answer; before the first connection.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        broker.Serve("$aws/certificates/create/+", (account, message) =>
            Take(account, message, (caller, _, _) => desk.Create(caller)));
        broker.Serve("$aws/certificates/create-from-csr/+", (account, message) =>
            Take(account, message, (caller, client, request) => desk.CreateFromCsr(caller, client, request)));
        broker.Serve("$aws/provisioning-templates/+/provision/+", (account, message) =>
            Take(account, message, (caller, client, request) => desk.Provision(caller, client, message.Message.Topic.Split('/')[2], request)));
        return base.StartAsync(cancellationToken);
    }

    async ValueTask Take(AccountId account, DeliveredMessage message, Func<Caller, string, JsonObject, Task<JsonObject>> act)
    {
        var format = message.Message.Topic[(message.Message.Topic.LastIndexOf('/') + 1)..];
        if (message.Source is not { } source || !FleetPayload.IsFormat(format))
            return;
        try
        {
            var answer = await act(CallerOf(account, source), source.ClientId, FleetPayload.Read(format, message.Message.Payload));
            Answer(account, message, "/accepted", FleetPayload.Write(format, answer));
        }
        catch (FleetRefusal refusal)
        {
            logger.LogInformation("Fleet provisioning refused the client {ClientId} of account {Account} on {Topic}: {Code} {Why}",
                source.ClientId, account, message.Message.Topic, refusal.Code, refusal.Message);
            Answer(account, message, "/rejected", FleetPayload.Write(format, refusal.Document));
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogFailed(logger, message.Message.Topic, failure);
            Answer(account, message, "/rejected", FleetPayload.Write(format, FleetRefusal.Internal().Document));
        }
    }

    void Answer(AccountId account, DeliveredMessage asked, string last, byte[] payload)
    {
        var topic = asked.Message.Topic + last;
        var client = asked.Source!.ClientId;
        var subscribed = (broker.SubscriptionsOf(account, client) ?? []).Where(s => Topic.Matches(s.Filter, topic)).ToList();
        if (subscribed.Count > 0)
            _ = Send(account, client, new(topic, payload) { CorrelationData = asked.Message.CorrelationData }, subscribed.Max(s => s.QoS));
    }

    async Task Send(AccountId account, string client, OutgoingMessage answer, int qos)
    {
        var outcome = await broker.SendDirect(account, client, answer, qos > 0 ? Patience : null, CancellationToken.None);
        if (outcome == DirectOutcome.Busy)
            outcome = await broker.SendDirect(account, client, answer, null, CancellationToken.None);
        if (outcome is not (DirectOutcome.Sent or DirectOutcome.Confirmed))
            logger.LogInformation("The answer on {Topic} did not reach the client {ClientId}: {Why}.", answer.Topic, client, outcome);
    }

    static Caller CallerOf(AccountId account, MessageSource source)
    {
        var parts = source.PrincipalArn.Split(':', 6);
        return new()
        {
            Account = account,
            Arn = source.PrincipalArn,
            UserId = source.PrincipalArn[(source.PrincipalArn.LastIndexOf('/') + 1)..],
            Kind = CallerKind.Certificate,
            Region = parts.Length == 6 && parts[3].Length > 0 ? parts[3] : "us-east-1",
        };
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(SweepEvery, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
            await upkeep.Sweep(stoppingToken);
    }

    [LoggerMessage(61, LogLevel.Error, "The request on {Topic} could not be carried out")]
    static partial void LogFailed(ILogger logger, string topic, Exception failure);
}
