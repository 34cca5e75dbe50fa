namespace Althing.Storage;

/// <summary>A collection of records of one kind, kept as JSON under (account, key) with a version each.</summary>
/// <remarks>
/// Declared once, beside the record: <c>public static readonly Table&lt;Thing&gt; Table = new("things", t => (t.Account, t.Name));</c>.
/// The name is part of the stored data: never change it without a migration.
/// </remarks>
public sealed class Table<T> : ITable where T : class
{
    readonly Func<T, (AccountId Account, string Key)> key;

    public Table(string name, Func<T, (AccountId Account, string Key)> key, params Index<T>[] indexes)
    {
        Name = name;
        this.key = key;
        Indexes = indexes;
    }

    public string Name { get; }

    /// <summary>What else the rows can be found by. An index may give several values for one row, or none.</summary>
    public IReadOnlyList<Index<T>> Indexes { get; }

    IReadOnlyList<string> ITable.IndexNames => [.. Indexes.Select(i => i.Name)];

    public (AccountId Account, string Key) KeyOf(T value) => key(value);
}

/// <summary>What an engine must know of a table whatever its record type.</summary>
public interface ITable
{
    string Name { get; }
    IReadOnlyList<string> IndexNames { get; }
}

/// <summary>A declared index: the values under which a row can be found besides its key.</summary>
public sealed record Index<T>(string Name, Func<T, IEnumerable<string>> Values) where T : class
{
    /// <summary>An index of at most one value a row; null leaves the row out.</summary>
    public static Index<T> On(string name, Func<T, string?> value) => new(name, row => value(row) is { } v ? [v] : []);
}

/// <summary>A stored record with the version it has, 1 when new and one more at each write.</summary>
/// <param name="Cursor">Where this row stands in the scan that returned it: pass it as <see cref="Scan.After"/> to go on behind it.</param>
public readonly record struct Row<T>(AccountId Account, string Key, T Value, long Version, string Cursor) where T : class;

/// <summary>Which rows to read, in ascending ordinal order of key (or of index value, then key).</summary>
public readonly record struct Scan
{
    public const int LimitMax = 10_000;

    public Scan() { }

    /// <summary>The index to use; null for the key itself.</summary>
    public string? Index { get; init; }

    /// <summary>Only rows whose index value is exactly this. Needs <see cref="Index"/>.</summary>
    public string? Value { get; init; }

    /// <summary>Only rows whose key (or index value) begins with this.</summary>
    public string? Prefix { get; init; }

    /// <summary>Begin behind this <see cref="Row{T}.Cursor"/>.</summary>
    public string? After { get; init; }

    public int Limit { get; init; } = LimitMax;

    public bool Descending { get; init; }

    public static Scan All => new();
    public static Scan By(string index, string value) => new() { Index = index, Value = value };
    public static Scan Under(string prefix) => new() { Prefix = prefix };
}

/// <summary>Keys of several parts. The separator U+001F can be in no AWS name, so parts never run together.</summary>
public static class Key
{
    public const char Separator = '\u001f';

    public static string Of(params ReadOnlySpan<string> parts) => string.Join(Separator, parts);

    /// <summary>The prefix that all keys beginning with these parts share.</summary>
    public static string Prefix(params ReadOnlySpan<string> parts) => string.Join(Separator, parts) + Separator;

    public static string[] Split(string key) => key.Split(Separator);
}
