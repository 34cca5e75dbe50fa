using System.Text.Json.Nodes;
using Althing.Broker;
using Althing.Core.Authority;
using Althing.Identity;
using Althing.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Core.Provisioning.Fleet;

/// <summary>The reserved topics of fleet provisioning. Answers hold private keys: they go to the client that asked, and to nobody else.</summary>
sealed partial class FleetTopics(MqttBroker broker, FleetDesk desk, FleetUpkeep upkeep, TopicAnswers answers, TimeProvider clock, ILogger<FleetTopics> logger) : BackgroundService
{
    static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(10);

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
        if (message.Source is not { } source || !DevicePayload.IsFormat(format))
            return;
        try
        {
            var answer = await act(CallerOf(account, source), source.ClientId, DevicePayload.Read(format, message.Message.Payload));
            await Answer(account, message, "/accepted", DevicePayload.Write(format, answer));
        }
        catch (FormatException malformed)
        {
            await Answer(account, message, "/rejected", DevicePayload.Write(format, FleetRefusal.InvalidPayload(malformed.Message).Document));
        }
        catch (FleetRefusal refusal)
        {
            logger.LogInformation("Fleet provisioning refused the client {ClientId} of account {Account} on {Topic}: {Code} {Why}",
                source.ClientId, account, message.Message.Topic, refusal.Code, refusal.Message);
            await Answer(account, message, "/rejected", DevicePayload.Write(format, refusal.Document));
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogFailed(logger, message.Message.Topic, failure);
            await Answer(account, message, "/rejected", DevicePayload.Write(format, FleetRefusal.Internal().Document));
        }
    }

    ValueTask Answer(AccountId account, DeliveredMessage asked, string last, byte[] payload) =>
        answers.Give(account, asked, asked.Message.Topic + last, payload);

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
