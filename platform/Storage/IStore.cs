namespace Althing.Storage;

/// <summary>The tables of the platform, embedded (SQLite) or in PostgreSQL. What <see cref="Commit"/> returned from is on disk.</summary>
public interface IStore : IAsyncDisposable
{
    /// <summary>The row under this key, or null.</summary>
    ValueTask<Row<T>?> Get<T>(Table<T> table, AccountId account, string key, CancellationToken cancel) where T : class;

    /// <summary>The rows that fit, at most <see cref="Scan.Limit"/>.</summary>
    ValueTask<IReadOnlyList<Row<T>>> Scan<T>(Table<T> table, AccountId account, Scan scan, CancellationToken cancel) where T : class;

    /// <summary>How many rows fit, without reading them.</summary>
    ValueTask<long> Count<T>(Table<T> table, AccountId account, Scan scan, CancellationToken cancel) where T : class;

    /// <summary>Every row of the table in every account: for start-up and upkeep, never for answering a caller.</summary>
    IAsyncEnumerable<Row<T>> ScanAll<T>(Table<T> table, CancellationToken cancel) where T : class;

    /// <summary>Writes the whole batch or nothing of it, durably.</summary>
    /// <exception cref="StorageConflictException">A condition of the batch does not hold; nothing was written.</exception>
    ValueTask Commit(Batch batch, CancellationToken cancel);
}

/// <summary>The store could not carry out a write or a read: a full or failing disk, a database out of reach. Nothing of the write was acknowledged.</summary>
public sealed class StorageException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>A condition of a batch did not hold: somebody else wrote first. Read again and decide anew.</summary>
public sealed class StorageConflictException(string table, string key)
    : Exception($"The row '{key.Replace(Key.Separator, '/')}' of '{table}' was changed by somebody else.")
{
    public string Table { get; } = table;
    public string RowKey { get; } = key;
}
