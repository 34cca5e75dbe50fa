using System.Collections.Concurrent;
using Althing.Storage;

namespace Althing.Broker;

/// <summary>
/// The numbers of the connections of client ids whose sessions have ended, for a while: "versionNumber" of lifecycle events rises over them
/// and begins at 0 again when a client was away for an hour ("Lifecycle events").
/// </summary>
sealed class ConnectNumbers(TimeProvider time)
{
    static readonly TimeSpan Kept = TimeSpan.FromHours(1);

    /// <summary>Beyond it, ids are not noted: clients that make up an id for each connection must not cost memory.</summary>
    const int NotedMax = 200_000;

    readonly ConcurrentDictionary<(AccountId, string), (long Number, DateTimeOffset Since)> noted = new();

    public void Note(Session session)
    {
        if (noted.Count < NotedMax)
            noted[(session.Account, session.ClientId)] = (session.ConnectNumber, time.GetUtcNow());
    }

    /// <summary>The number of the last connection; -1 when there was none of late.</summary>
    public long Take(AccountId account, string clientId) =>
        noted.TryRemove((account, clientId), out var last) && time.GetUtcNow() - last.Since < Kept ? last.Number : -1;

    public void Upkeep()
    {
        var now = time.GetUtcNow();
        foreach (var (id, last) in noted)
        {
            if (now - last.Since >= Kept)
                noted.TryRemove(id, out _);
        }
    }
}
