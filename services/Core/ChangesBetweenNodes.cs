using System.Text.Json;
using Althing.Broker;
using Althing.Core.Authority;
using Althing.Core.DomainConfigurations;
using Althing.Core.Events;
using Althing.Core.ServerCertificates;
using Althing.Identity;
using Althing.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Althing.Core;

/// <summary>
/// Tells the other nodes of a cluster what changed on this one, so that what they keep in memory follows: rights of connected devices, server
/// names and certificates, signing keys. The messages go through the platform's own topic space, which no client can see. Where the platform
/// is one process, nothing is told.
/// </summary>
sealed class ChangesBetweenNodes(
    MqttBroker broker, RegistryChanges changes, RegistryEvents events, SigningKeys keys, MqttUsers users, RightsKeeper rights, ILogger<ChangesBetweenNodes> logger)
    : IHostedService, IDisposable
{
    const string Topic = "nodes/changes";

    /// <summary>What is being taken in is not told again.</summary>
    [ThreadStatic]
    static bool taking;

    readonly string self = Guid.NewGuid().ToString("N");
    IDisposable? subscription;

    /// <param name="User">The MQTT user that was deleted.</param>
    /// <param name="Keys">Users, roles or keys changed.</param>
    sealed record Told(string From, string Account, RegistryResource? Resource, RegistryVerb Verb, string Id, string? Other)
    {
        public string? Region { get; init; }
        public string? User { get; init; }
        public bool Keys { get; init; }
        public DomainConfiguration? Domain { get; init; }
        public ServerCertificate? Certificate { get; init; }
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (!broker.IsClustered)
            return Task.CompletedTask;
        subscription = broker.Subscribe(AccountId.Platform, Topic, Take, fromAllNodes: true);
        changes.Changed += Tell;
        keys.Altered += TellKeys;
        users.Deleted += TellUser;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => subscription?.Dispose();

    void Tell(RegistryChange change) => Send(new(self, change.Account.Value, change.Resource, change.Verb, change.Id, change.Other)
    {
        Region = change.Region,
        Domain = change.Detail as DomainConfiguration,
        Certificate = change.Detail as ServerCertificate,
    });

    void TellKeys() => Send(new(self, AccountId.Platform.Value, null, default, "", null) { Keys = true });

    void TellUser(AccountId account, string user) => Send(new(self, account.Value, null, default, "", null) { User = user });

    void Send(Told told)
    {
        if (!taking)
            _ = Publish(told);
    }

    async Task Publish(Told told)
    {
        try
        {
            await broker.Publish(AccountId.Platform, new(Topic, JsonSerializer.SerializeToUtf8Bytes(told, StorageJson.Options)) { QoS = 1 }, CancellationToken.None);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            logger.LogError(failure, "Another node could not be told of a change; it may act on what it read before.");
        }
    }

    void Take(DeliveredMessage message)
    {
        if (JsonSerializer.Deserialize<Told>(message.Message.Payload.Span, StorageJson.Options) is not { } told || told.From == self)
            return;
        taking = true;
        try
        {
            Take(told, AccountId.FromStorage(told.Account));
        }
        finally
        {
            taking = false;
        }
    }

    void Take(Told told, AccountId account)
    {
        if (told.Keys)
            keys.Changed();
        if (told.User is { } user)
            rights.Note(account, RightsKeeper.UserKey(user));
        if (told.Resource is not { } resource)
            return;
        if (resource == RegistryResource.Configuration)
            events.Forget(account);
        changes.Publish(new(resource, told.Verb, account, told.Id, told.Other)
        {
            Region = told.Region,
            Detail = (object?)told.Domain ?? told.Certificate,
            IsFromElsewhere = true,
        });
    }
}
