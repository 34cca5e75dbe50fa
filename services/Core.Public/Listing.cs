using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core;

/// <summary>Reads listings page by page: a table's rows and the token for what stands behind them.</summary>
public sealed class Listing(IStore store, PageTokens tokens)
{
    /// <summary>Entries of a page when the caller does not say; the model allows 250 at most.</summary>
    public const int PageSizeDefault = 25;

    /// <param name="name">The operation and its filters: a token of another listing is refused.</param>
    /// <exception cref="ServiceException">InvalidRequestException for a token that is not this listing's.</exception>
    public async ValueTask<Page<T>> Read<T>(
        Table<T> table, Caller caller, string name, Scan scan, string? token, int? pageSize, CancellationToken cancel) where T : class
    {
        var size = pageSize ?? PageSizeDefault;
        var after = tokens.Open(caller, name, token, Refuse.InvalidRequest);
        var rows = await store.Scan(table, caller.Account, scan with { After = after, Limit = size + 1 }, cancel);
        return rows.Count > size
            ? new([.. rows.Take(size).Select(r => r.Value)], tokens.Seal(caller, name, rows[size - 1].Cursor))
            : new([.. rows.Select(r => r.Value)], null);
    }

    /// <summary>A page of those rows of a scan that fit, for what no index can say.</summary>
    /// <param name="invalid">The exception for a token that is not this listing's, where it is not InvalidRequestException.</param>
    public async ValueTask<Page<T>> ReadWhere<T>(
        Table<T> table, Caller caller, string name, Scan scan, Func<T, bool> fits, string? token, int? pageSize, CancellationToken cancel,
        Func<string, ServiceException>? invalid = null) where T : class
    {
        var size = pageSize ?? PageSizeDefault;
        List<Row<T>> found = [];
        for (var after = tokens.Open(caller, name, token, invalid ?? Refuse.InvalidRequest); ;)
        {
            var part = scan with { After = after, Limit = 4 * (size + 1) };
            var rows = await store.Scan(table, caller.Account, part, cancel);
            found.AddRange(rows.Where(r => fits(r.Value)).Take(size + 1 - found.Count));
            if (found.Count > size)
                return new([.. found.Take(size).Select(r => r.Value)], tokens.Seal(caller, name, found[size - 1].Cursor));
            if (rows.Count < part.Limit)
                return new([.. found.Select(r => r.Value)], null);
            after = rows[^1].Cursor;
        }
    }

    /// <summary>A page of rows that stand in several parts of a table, part after part.</summary>
    /// <param name="parts">Distinct names in ordinal order, such as the groups whose members are listed. A part that has gone by the next page does not matter.</param>
    /// <param name="scanFor">The scan of a part's rows.</param>
    public async ValueTask<Page<T>> ReadParts<T>(
        Table<T> table, Caller caller, string name, IEnumerable<string> parts, Func<string, Scan> scanFor, string? token, int? pageSize,
        CancellationToken cancel) where T : class
    {
        var size = pageSize ?? PageSizeDefault;
        var stopped = tokens.Open(caller, name, token, Refuse.InvalidRequest)?.Split(Key.Separator, 2);
        List<(string Part, Row<T> Row)> found = [];
        foreach (var part in parts)
        {
            var order = stopped is null ? 1 : string.CompareOrdinal(part, stopped[0]);
            if (order < 0)
                continue;
            var scan = scanFor(part) with { After = order == 0 ? stopped![1] : null, Limit = size + 1 - found.Count };
            found.AddRange((await store.Scan(table, caller.Account, scan, cancel)).Select(row => (part, row)));
            if (found.Count > size)
                break;
        }
        return found.Count > size
            ? new([.. found.Take(size).Select(f => f.Row.Value)], tokens.Seal(caller, name, Key.Of(found[size - 1].Part, found[size - 1].Row.Cursor)))
            : new([.. found.Select(f => f.Row.Value)], null);
    }

    /// <summary>A page of a short, sorted list that was gathered whole; the names are distinct.</summary>
    public Page<string> Cut(IEnumerable<string> sorted, Caller caller, string name, string? token, int? pageSize)
    {
        var size = pageSize ?? PageSizeDefault;
        var after = tokens.Open(caller, name, token, Refuse.InvalidRequest);
        var rest = sorted.Where(n => after is null || string.CompareOrdinal(n, after) > 0).Take(size + 1).ToList();
        return rest.Count > size
            ? new([.. rest.Take(size)], tokens.Seal(caller, name, rest[size - 1]))
            : new(rest, null);
    }
}

/// <param name="Next">The token for the following page; null at the end.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);
