using Althing.Storage;

namespace Althing.Core.Events;

/// <summary>A registry event that was written down with the change it tells of, and is removed when it is published.</summary>
/// <param name="Key">Rises with time and, for one resource, with its changes.</param>
sealed record OwedEvent(AccountId Account, string Key, string Topic, byte[] Payload, DateTimeOffset At)
{
    public static readonly Table<OwedEvent> Table = new("registry-events-owed", e => (e.Account, e.Key));
}
