using Althing.Commands.Parameters;
using Althing.Storage;

namespace Althing.Commands;

/// <summary>An instruction for devices, to be sent again and again.</summary>
sealed record Command
{
    public static readonly Table<Command> Table = new("commands", c => (c.Account, c.Id),
        Index<Command>.On("created", c => Moments.Key(c.CreatedAt)));

    /// <summary>Who may use the payload: the IoT platform, or FleetWise, whose commands have parameters and no payload.</summary>
    public const string NamespaceDefault = "AWS-IoT";
    public const string FleetWise = "AWS-IoT-FleetWise";

    public required AccountId Account { get; init; }
    public required string Id { get; init; }
    public required string Region { get; init; }
    public required string Namespace { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset LastUpdatedAt { get; init; }
    public string? DisplayName { get; init; }
    public string? Description { get; init; }
    public CommandPayload? Payload { get; init; }
    public string? PayloadTemplate { get; init; }
    public CommandPreprocessor? Preprocessor { get; init; }
    public IReadOnlyList<CommandParameter>? MandatoryParameters { get; init; }
    public string? RoleArn { get; init; }
    public bool Deprecated { get; init; }
    public DateTimeOffset? DeprecatedAt { get; init; }

    /// <summary>It goes when its last execution can no longer be under way.</summary>
    public bool PendingDeletion { get; init; }

    /// <summary>What the request that created it said: the same request again is the same command.</summary>
    public required string Fingerprint { get; init; }

    public string Arn => $"arn:aws:iot:{Region}:{Account}:command/{Id}";

    public static string TagKey(string id) => "iot:command/" + id;
}

/// <summary>Times as keys that stand in their order.</summary>
static class Moments
{
    public static string Key(DateTimeOffset time) => time.ToUnixTimeMilliseconds().ToString("D15", System.Globalization.CultureInfo.InvariantCulture);
}
