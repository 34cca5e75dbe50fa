using System.Text.Json.Nodes;
using Althing.Storage;

namespace Althing.Core.Shadows;

/// <summary>A device's shadow: what is wanted of it, what it reported, and when ("Device Shadow service documents").</summary>
sealed record Shadow
{
    public static readonly Table<Shadow> Table = new(
        "shadows",
        s => (s.Account, KeyOf(s.ThingName, s.ShadowName)),
        Index<Shadow>.On("named", s => s.ShadowName.Length > 0 && s.DeletedAt is null ? s.ThingName : null),
        Index<Shadow>.On("deleted", s => s.DeletedAt is { } at ? at.ToUnixTimeSeconds().ToString("D12", System.Globalization.CultureInfo.InvariantCulture) : null));

    /// <summary>How long a deleted shadow's version is remembered, for one of the same name to go on from it ("Interacting with shadows").</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromHours(48);

    public required AccountId Account { get; init; }
    public required string ThingName { get; init; }

    /// <summary>Empty for the classic shadow.</summary>
    public required string ShadowName { get; init; }

    /// <summary>Counts the updates, from 1.</summary>
    public required long Version { get; init; }
    public JsonObject? Desired { get; init; }
    public JsonObject? Reported { get; init; }

    /// <summary>When each value of <see cref="Desired"/> was set: the same tree, with <c>{"timestamp": SECONDS}</c> for a value.</summary>
    public JsonObject? DesiredTimes { get; init; }
    public JsonObject? ReportedTimes { get; init; }

    /// <summary>Set for one that is gone, of which only the version is left.</summary>
    public DateTimeOffset? DeletedAt { get; init; }

    public static string KeyOf(string thingName, string shadowName) => Key.Of(thingName, shadowName);
}
