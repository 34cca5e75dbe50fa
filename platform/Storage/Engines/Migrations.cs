namespace Althing.Storage.Engines;

/// <summary>The steps that bring a data folder of an older version forward. A step, once shipped, is never changed: add the next.</summary>
static class Migrations
{
    static readonly IReadOnlyList<string> Steps = [StoreSql.SqliteSchema];

    public static int Current => Steps.Count;

    /// <exception cref="StorageVersionException">The data was written by a newer version of the platform.</exception>
    public static void Run(SqliteSession session) => Run(session, Steps);

    public static void Run(SqliteSession session, IReadOnlyList<string> steps)
    {
        var version = (int)(session.QueryNumber("PRAGMA user_version") ?? 0);
        if (version > steps.Count)
            throw new StorageVersionException(version, steps.Count);
        for (; version < steps.Count; version++)
        {
            session.Execute("BEGIN IMMEDIATE");
            session.Execute(steps[version]);
            session.Execute($"PRAGMA user_version={version + 1}");
            session.Execute("COMMIT");
        }
    }
}

/// <summary>The data folder is from a newer version of the platform than this one.</summary>
public sealed class StorageVersionException(int found, int known)
    : Exception($"The data has schema version {found}, and this program knows versions up to {known}. Start the newer program, or restore a backup made by this one.");
