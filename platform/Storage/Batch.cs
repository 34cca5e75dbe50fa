using System.Text.Json;
using Althing.Storage.Engines;

namespace Althing.Storage;

/// <summary>Writes and conditions that take effect together or not at all.</summary>
public sealed class Batch
{
    readonly List<BatchStep> steps = [];

    /// <summary>The steps in the order they were added, for an engine to carry out.</summary>
    public IReadOnlyList<BatchStep> Steps => steps;

    /// <summary>Writes the row whatever was there.</summary>
    public Batch Put<T>(Table<T> table, T value) where T : class => Write(table, value, expected: null);

    /// <summary>Writes the row; a conflict when one with this key exists.</summary>
    public Batch Add<T>(Table<T> table, T value) where T : class => Write(table, value, expected: 0);

    /// <summary>Writes the row in place of one read before; a conflict when that has changed or gone since.</summary>
    public Batch Replace<T>(Table<T> table, Row<T> read, T value) where T : class => Write(table, value, read.Version);

    /// <summary>Removes the row if it is there.</summary>
    public Batch Delete<T>(Table<T> table, AccountId account, string key) where T : class =>
        Add(new(BatchVerb.Delete, table, account, key, null, null, []));

    /// <summary>Removes a row read before; a conflict when it has changed or gone since.</summary>
    public Batch Delete<T>(Table<T> table, Row<T> read) where T : class =>
        Add(new(BatchVerb.Delete, table, read.Account, read.Key, read.Version, null, []));

    /// <summary>A conflict when this row, which the decision was based on, has changed or gone since it was read.</summary>
    public Batch Require<T>(Table<T> table, Row<T> read) where T : class =>
        Add(new(BatchVerb.Require, table, read.Account, read.Key, read.Version, null, []));

    /// <summary>A conflict when a row with this key exists.</summary>
    public Batch RequireAbsent<T>(Table<T> table, AccountId account, string key) where T : class =>
        Add(new(BatchVerb.Require, table, account, key, 0, null, []));

    Batch Write<T>(Table<T> table, T value, long? expected) where T : class
    {
        var (account, key) = table.KeyOf(value);
        var entries = from index in table.Indexes from v in index.Values(value).Distinct(StringComparer.Ordinal) select (index.Name, v);
        return Add(new(BatchVerb.Put, table, account, key, expected, JsonSerializer.SerializeToUtf8Bytes(value, StorageJson.Options), [.. entries]));
    }

    Batch Add(BatchStep step)
    {
        // Refused here, it fails the caller's batch and not its neighbours in the transaction.
        if (!StoreSql.CanHold(step.Key) || !step.IndexEntries.All(e => StoreSql.CanHold(e.Value)))
            throw new ArgumentException($"A key or index value of '{step.Table.Name}' contains U+0000 or half a surrogate pair, which no store can keep.");
        steps.Add(step);
        return this;
    }
}

public enum BatchVerb { Put, Delete, Require }

/// <summary>One write or condition.</summary>
/// <param name="ExpectedVersion">The version that must stand there now: 0 for none, null for any.</param>
/// <param name="Json">UTF-8 JSON of the row for <see cref="BatchVerb.Put"/>.</param>
/// <param name="IndexEntries">All index entries of the row after the write.</param>
public sealed record BatchStep(
    BatchVerb Verb, ITable Table, AccountId Account, string Key, long? ExpectedVersion, byte[]? Json,
    IReadOnlyList<(string Index, string Value)> IndexEntries);
