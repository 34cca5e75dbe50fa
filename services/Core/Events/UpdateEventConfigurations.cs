using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Events;

/// <summary>Turns registry events on and off by type; types that are left out stay as they are.</summary>
/// <remarks>
/// The types of things, types, groups, jobs and job executions switch their messages on. As in AWS,
/// presence, subscription and CA registration messages come whatever CERTIFICATE and CA_CERTIFICATE say, and no message is documented for POLICY.
/// </remarks>
[Operation<Iot>("PATCH /event-configurations")]
sealed class UpdateEventConfigurations(IStore store, RegistryEvents events, RegistryChanges changes, TimeProvider clock)
    : Operation<UpdateEventConfigurationsRequest, EmptyResponse>
{
    protected override Permission Needs(UpdateEventConfigurationsRequest request, Caller caller) => new("iot:UpdateEventConfigurations");

    protected override void Check(UpdateEventConfigurationsRequest request)
    {
        if (request.EventConfigurations?.Keys.FirstOrDefault(k => !EventSettings.Types.Contains(k)) is { } unknown)
            throw Refuse.InvalidRequest($"'{unknown}' at 'eventConfigurations' is no event type: {string.Join(", ", EventSettings.Types)} are.");
    }

    protected override async ValueTask<EmptyResponse> Run(UpdateEventConfigurationsRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await store.Get(EventSettings.Table, caller.Account, EventSettings.Key, cancel);
        var asked = request.EventConfigurations ?? new Dictionary<string, Configuration>();
        var settings = new EventSettings
        {
            Account = caller.Account,
            CreatedAt = row?.Value.CreatedAt ?? clock.GetUtcNow(),
            LastModifiedAt = clock.GetUtcNow(),
            Enabled = [.. EventSettings.Types.Where(t => asked.TryGetValue(t, out var wish) ? wish.Enabled is true : row?.Value.Enabled.Contains(t) is true)],
        };
        await store.Commit(row is { } read ? new Batch().Replace(EventSettings.Table, read, settings) : new Batch().Add(EventSettings.Table, settings), cancel);
        events.Forget(caller.Account);
        changes.Publish(caller, RegistryResource.Configuration, RegistryVerb.Updated, "event-configurations", detail: settings);
        return EmptyResponse.Instance;
    }
}

sealed record UpdateEventConfigurationsRequest
{
    public IReadOnlyDictionary<string, Configuration>? EventConfigurations { get; init; }
}
