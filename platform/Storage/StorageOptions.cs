namespace Althing.Storage;

/// <summary>Where the platform keeps its data.</summary>
public sealed record StorageOptions
{
    /// <summary>The data folder; the embedded engines and everything of the machine itself live in it.</summary>
    public required string Folder { get; init; }

    /// <summary>A PostgreSQL connection string for the shared tables and journals; null for the embedded engines.</summary>
    public string? PostgreSql { get; init; }

    /// <summary>Where blobs are, if elsewhere than in the data folder: several nodes of one cluster share them.</summary>
    public string? BlobFolder { get; init; }

    /// <summary>Why blobs cannot be kept, if they cannot.</summary>
    public string? NoBlobs { get; init; }
}
