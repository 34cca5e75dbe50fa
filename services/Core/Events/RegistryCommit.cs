using Althing.Storage;

namespace Althing.Core.Events;

/// <summary>
/// Commits changes of the registry with the events that they owe, and tells the platform of them. What a kill leaves unpublished is published
/// later: see <see cref="EventsLeft"/>.
/// </summary>
sealed class RegistryCommit(IStore store, RegistryChanges changes, RegistryEvents events)
{
    public async ValueTask Run(Batch batch, IReadOnlyList<RegistryChange> told, CancellationToken cancel)
    {
        var owed = await events.Owe(batch, told, cancel);
        await store.Commit(batch, cancel);
        foreach (var change in told)
            changes.Publish(change);
        events.Publish(owed);
    }
}
