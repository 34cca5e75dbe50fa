using Althing.Storage;

namespace Althing.Jobs.Templates;

/// <summary>What jobs made of it have in common: a document, and how it is rolled out. It never changes.</summary>
sealed record JobTemplate
{
    public static readonly Table<JobTemplate> Table = new("job-templates", t => (t.Account, t.Id));

    public required AccountId Account { get; init; }
    public required string Id { get; init; }
    public required string Description { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Read when the template was created, where it lies in an object.</summary>
    public required string Document { get; init; }
    public string? DocumentSource { get; init; }
    public PresignedUrlConfig? PresignedUrlConfig { get; init; }
    public JobExecutionsRolloutConfig? JobExecutionsRolloutConfig { get; init; }
    public AbortConfig? AbortConfig { get; init; }
    public TimeoutConfig? TimeoutConfig { get; init; }
    public JobExecutionsRetryConfig? JobExecutionsRetryConfig { get; init; }
    public IReadOnlyList<MaintenanceWindow>? MaintenanceWindows { get; init; }
    public IReadOnlyList<string>? DestinationPackageVersions { get; init; }

    public static string TagKey(string id) => "iot:jobtemplate/" + id;
}
