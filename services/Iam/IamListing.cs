using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam;

/// <param name="Marker">The token for the following page; null at the end.</param>
sealed record Page<T>(IReadOnlyList<T> Items, string? Marker);

/// <summary>Reads listings page by page.</summary>
sealed class IamListing(IStore store, PageTokens tokens)
{
    /// <summary>Entries of a page when the caller does not say ("MaxItems" of every IAM listing).</summary>
    const int MaxItemsDefault = 100;

    /// <exception cref="ServiceException">ValidationError for a marker that is not this listing's.</exception>
    public async ValueTask<Page<T>> Read<T>(Table<T> table, Caller caller, string name, string? marker, int? maxItems, CancellationToken cancel) where T : class
    {
        var size = maxItems ?? MaxItemsDefault;
        var after = tokens.Open(caller, name, marker, Refuse.Validation);
        var rows = await store.Scan(table, caller.Account, Scan.All with { After = after, Limit = size + 1 }, cancel);
        return rows.Count > size
            ? new([.. rows.Take(size).Select(r => r.Value)], tokens.Seal(caller, name, rows[size - 1].Cursor))
            : new([.. rows.Select(r => r.Value)], null);
    }

    /// <summary>A page of a short list that was gathered whole.</summary>
    /// <param name="nameOf">A distinct name of each item, which the listing is ordered by.</param>
    public Page<T> Cut<T>(IEnumerable<T> all, Func<T, string> nameOf, Caller caller, string name, string? marker, int? maxItems)
    {
        var size = maxItems ?? MaxItemsDefault;
        var after = tokens.Open(caller, name, marker, Refuse.Validation);
        var rest = all.OrderBy(nameOf, StringComparer.Ordinal).Where(i => after is null || string.CompareOrdinal(nameOf(i), after) > 0).Take(size + 1).ToList();
        return rest.Count > size
            ? new([.. rest.Take(size)], tokens.Seal(caller, name, nameOf(rest[size - 1])))
            : new(rest, null);
    }
}
