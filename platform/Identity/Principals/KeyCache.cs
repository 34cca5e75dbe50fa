using System.Collections.Concurrent;

namespace Althing.Identity;

/// <summary>Keys that were used lately. What was read before a change is never kept after it.</summary>
/// <param name="entriesMax">When so many are kept, all are forgotten: the few that are in use come back at once.</param>
sealed class KeyCache(int entriesMax)
{
    /// <param name="Expires">When a session ends; null for long-lived keys.</param>
    internal sealed record Entry(SigningKey Key, DateTimeOffset? Expires);

    readonly Lock gate = new();
    readonly ConcurrentDictionary<string, Entry> entries = new(StringComparer.Ordinal);
    long generation;

    /// <summary>Read it before reading storage, and hand it to <see cref="Keep"/>.</summary>
    public long Generation => Volatile.Read(ref generation);

    public int Count => entries.Count;

    public Entry? Find(string accessKeyId) => entries.GetValueOrDefault(accessKeyId);

    public void Keep(Entry entry, long readAt)
    {
        lock (gate)
        {
            if (readAt != generation)
                return;
            if (entries.Count >= entriesMax)
                entries.Clear();
            entries[entry.Key.AccessKeyId] = entry;
        }
    }

    public void Clear()
    {
        lock (gate)
        {
            generation++;
            entries.Clear();
        }
    }
}
