namespace Althing.Storage.Engines;

/// <summary>The statements that both engines share. Columns of a row: key, version, value, then what the scan adds.</summary>
static class StoreSql
{
    public const string SqliteSchema = """
        CREATE TABLE IF NOT EXISTS rows(tbl TEXT NOT NULL, account TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, value BLOB NOT NULL,
            PRIMARY KEY(tbl, account, key)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS entries(tbl TEXT NOT NULL, idx TEXT NOT NULL, account TEXT NOT NULL, value TEXT NOT NULL, key TEXT NOT NULL,
            PRIMARY KEY(tbl, idx, account, value, key)) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS entries_of ON entries(tbl, account, key);
        """;

    public const string Get = "SELECT key, version, value FROM rows WHERE tbl=@t AND account=@a AND key=@k";

    public const string All =
        "SELECT key, version, value, account FROM rows WHERE tbl=@t AND (account, key) > (@a, @k) ORDER BY account, key LIMIT @n";

    /// <summary>The statement for a scan. Prefixes are ranges, never LIKE, so that they use the primary keys.</summary>
    public static (string Sql, (string, object)[] Parameters) Scan(ITable table, AccountId account, Scan scan, bool count)
    {
        List<(string, object)> parameters = [("@t", table.Name), ("@a", account.Value)];
        var (from, order) = scan.Index is null
            ? ("FROM rows WHERE tbl=@t AND account=@a", "key")
            : ("FROM entries e JOIN rows r USING(tbl, account, key) WHERE e.tbl=@t AND e.idx=@i AND e.account=@a", "e.value, key");
        if (scan.Index is { } index)
        {
            if (!table.IndexNames.Contains(index))
                throw new InvalidOperationException($"The table '{table.Name}' declares no index '{index}'.");
            parameters.Add(("@i", index));
        }
        var ranged = scan.Index is null ? "key" : "e.value";
        if (scan.Value is { } value)
        {
            from += " AND e.value=@v";
            parameters.Add(("@v", value));
        }
        if (scan.Prefix is { Length: > 0 } prefix)
        {
            from += $" AND {ranged} >= @p AND {ranged} < @q";
            parameters.Add(("@p", prefix));
            parameters.Add(("@q", Behind(prefix)));
        }
        if (scan.After is { } after)
        {
            var compare = scan.Descending ? "<" : ">";
            if (scan.Index is null)
            {
                from += $" AND key {compare} @k";
                parameters.Add(("@k", after));
            }
            else
            {
                // The value may have separators of its own, and so may the key: the length in front tells where one ends.
                var (afterValue, afterKey) = SplitCursor(after);
                if (afterValue == scan.Value)
                {
                    // Said as a range of the key alone, or a deep page would walk over all pages before it.
                    from += $" AND e.key {compare} @k";
                }
                else
                {
                    from += $" AND (e.value, e.key) {compare} (@w, @k)";
                    parameters.Add(("@w", afterValue));
                }
                parameters.Add(("@k", afterKey));
            }
        }
        if (count)
            return ($"SELECT COUNT(*) {from}", [.. parameters]);
        var direction = scan.Descending ? " DESC" : "";
        var columns = scan.Index is null ? "key, version, value" : "key, version, r.value, e.value";
        parameters.Add(("@n", Math.Clamp(scan.Limit, 0, Storage.Scan.LimitMax)));
        return ($"SELECT {columns} {from} ORDER BY {order.Replace(", ", direction + ", ", StringComparison.Ordinal)}{direction} LIMIT @n", [.. parameters]);
    }

    public static string Cursor(string value, string key) => $"{value.Length}:{value}{key}";

    static (string Value, string Key) SplitCursor(string cursor)
    {
        var colon = cursor.IndexOf(':', StringComparison.Ordinal);
        var length = int.Parse(cursor.AsSpan(0, colon), System.Globalization.CultureInfo.InvariantCulture);
        return (cursor.Substring(colon + 1, length), cursor[(colon + 1 + length)..]);
    }

    /// <summary>
    /// Whether both engines can keep this text as it is: without U+0000, which PostgreSQL refuses, and without half surrogate pairs, which
    /// have no UTF-8.
    /// </summary>
    public static bool CanHold(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0' || char.IsLowSurrogate(text[i]))
                return false;
            if (char.IsHighSurrogate(text[i]) && (++i == text.Length || !char.IsLowSurrogate(text[i])))
                return false;
        }
        return true;
    }

    /// <summary>The smallest string greater than all that begin with this prefix, in UTF-8 byte order.</summary>
    static string Behind(string prefix) => prefix + "\U0010FFFF\U0010FFFF";
}
