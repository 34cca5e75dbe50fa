using System.Globalization;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning.Bulk;

/// <summary>Registers the things that the lines of an object describe ("Bulk registration").</summary>
sealed record RegistrationTask
{
    public static readonly Table<RegistrationTask> Table = new("registration-tasks", t => (t.Account, t.Id),
        Index<RegistrationTask>.On("created", t => t.Order),
        Index<RegistrationTask>.On("status", t => Storage.Key.Of(t.Status, t.Order)));

    public const string InProgress = "InProgress";
    public const string Completed = "Completed";
    public const string Failed = "Failed";
    public const string Cancelled = "Cancelled";
    public const string Cancelling = "Cancelling";

    public required AccountId Account { get; init; }
    public required string Id { get; init; }
    public required string Region { get; init; }
    public required string TemplateBody { get; init; }
    public required string Bucket { get; init; }
    public required string ObjectKey { get; init; }
    public required string RoleArn { get; init; }
    public required string Status { get; init; }
    public string? Message { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset LastModifiedAt { get; init; }

    /// <summary>What the input was when the task began: another file is not gone on with.</summary>
    public required string ETag { get; init; }
    public required long Bytes { get; init; }

    /// <summary>Where the first line begins that was not dealt with, and how many lines stand before it. Written together with what a line made.</summary>
    public long Offset { get; init; }
    public int Lines { get; init; }
    public int Successes { get; init; }
    public int Failures { get; init; }

    string Order => $"{CreatedAt.ToUnixTimeMilliseconds():D15}";

    public bool IsOver => Status is Completed or Failed or Cancelled;

    public string ReportKey(string type) => $"thing-registration-tasks/{Id}/{type.ToLowerInvariant()}.json";

    /// <exception cref="Api.ServiceException">ResourceNotFoundException.</exception>
    public static async ValueTask<Row<RegistrationTask>> Require(IStore store, AccountId account, string id, CancellationToken cancel) =>
        await store.Get(Table, account, id, cancel)
        ?? throw Refuse.ResourceNotFound($"There is no thing registration task '{id}'. ListThingRegistrationTasks shows those there are.");
}

/// <summary>What became of one line, until it stands in a report.</summary>
sealed record RegistrationLine
{
    public static readonly Table<RegistrationLine> Table = new("registration-lines", l => (l.Account, Storage.Key.Of(l.TaskId, l.Report, l.Place)));

    public const string Results = "RESULTS";
    public const string Errors = "ERRORS";

    public required AccountId Account { get; init; }
    public required string TaskId { get; init; }
    public required string Report { get; init; }
    public required int Line { get; init; }
    public required string Json { get; init; }

    string Place => Line.ToString("D10", CultureInfo.InvariantCulture);
}
