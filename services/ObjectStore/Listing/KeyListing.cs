using Althing.ObjectStore.Objects;
using Althing.Storage;

namespace Althing.ObjectStore.Listing;

/// <summary>One entry of a listing: an object or upload under its key, or all keys that share a beginning.</summary>
sealed record Entry<T>(string Name, T? Value) where T : class
{
    public bool IsPrefix => Value is null;

    /// <summary>Where a listing goes on behind this entry.</summary>
    public string Place => IsPrefix ? Name + KeyListing.Last : Name;
}

/// <summary>Goes through the keys of a bucket in the order of their UTF-8 bytes, folding those together that share a beginning up to a delimiter.</summary>
sealed class KeyListing(IStore store)
{
    /// <summary>Behind every other character in UTF-8.</summary>
    public const string Last = "\U0010FFFF";

    const int RowsAtOnce = 1000;

    /// <summary>The latest versions, without or with those that are delete markers.</summary>
    public IAsyncEnumerable<Entry<StoredObject>> Objects(AccountId account, string bucket, string? prefix, string? delimiter, string? after, bool markers, CancellationToken cancel) =>
        Fold(prefix, delimiter, after, from => store.Scan(StoredObject.Latest, account,
            new Scan { Prefix = StoredObject.LatestKey(bucket, prefix ?? ""), After = from is null ? null : StoredObject.LatestKey(bucket, from), Limit = RowsAtOnce }, cancel),
            o => o.Key, o => markers || !o.IsMarker);

    static async IAsyncEnumerable<Entry<T>> Fold<T>(
        string? prefix, string? delimiter, string? after, Func<string?, ValueTask<IReadOnlyList<Row<T>>>> scan, Func<T, string> keyOf, Func<T, bool> counts) where T : class
    {
        var from = after;
        var skip = prefix?.Length ?? 0;
        while (true)
        {
            var rows = await scan(from);
            string? folded = null;
            foreach (var row in rows)
            {
                var key = keyOf(row.Value);
                from = key;
                if (!counts(row.Value))
                    continue;
                var at = string.IsNullOrEmpty(delimiter) ? -1 : key.IndexOf(delimiter, skip, StringComparison.Ordinal);
                if (at < 0)
                {
                    yield return new(key, row.Value);
                    continue;
                }
                folded = key[..(at + delimiter!.Length)];
                yield return new(folded, null);
                break;
            }
            // The other keys with this beginning are leapt over, however many they are.
            if (folded is not null)
                from = folded + Last;
            else if (rows.Count < RowsAtOnce)
                yield break;
        }
    }
}
