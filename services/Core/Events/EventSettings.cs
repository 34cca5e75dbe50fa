using System.Text.Json.Serialization;
using Althing.Storage;

namespace Althing.Core.Events;

/// <summary>Which registry events an account wants to be told.</summary>
sealed record EventSettings
{
    public static readonly Table<EventSettings> Table = new("event-settings", s => (s.Account, Key));

    /// <summary>An account has one row of these.</summary>
    public const string Key = "settings";

    /// <summary>The model's EventType.</summary>
    public static readonly IReadOnlyList<string> Types =
    [
        "THING", "THING_GROUP", "THING_TYPE", "THING_GROUP_MEMBERSHIP", "THING_GROUP_HIERARCHY", "THING_TYPE_ASSOCIATION", "JOB", "JOB_EXECUTION",
        "POLICY", "CERTIFICATE", "CA_CERTIFICATE",
    ];

    public required AccountId Account { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset LastModifiedAt { get; init; }

    /// <summary>The types that are enabled; all others are not.</summary>
    public required IReadOnlyList<string> Enabled { get; init; }
}

/// <summary>Whether events of one type are published.</summary>
sealed record Configuration
{
    [JsonPropertyName("Enabled")]
    public bool? Enabled { get; init; }
}
