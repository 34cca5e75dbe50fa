using Althing.Storage;

namespace Althing.Core.Logging;

/// <summary>An account's logging options.</summary>
sealed record LoggingSettings
{
    public static readonly Table<LoggingSettings> Table = new("logging-settings", s => (s.Account, Key));

    /// <summary>An account has one row of these.</summary>
    public const string Key = "settings";

    public required AccountId Account { get; init; }
    public string? RoleArn { get; init; }
    public required IotLogLevel DefaultLevel { get; init; }
    public bool DisableAll { get; init; }

    /// <exception cref="Api.ServiceException">NotConfiguredException.</exception>
    public static async ValueTask<Row<LoggingSettings>> Require(IStore store, AccountId account, CancellationToken cancel) =>
        await store.Get(Table, account, Key, cancel)
        ?? throw Refuse.NotConfigured("Logging is not configured in this account. SetV2LoggingOptions does that.");
}

/// <summary>The level for one group, client, address or principal, in place of the default.</summary>
sealed record LoggingLevel
{
    public static readonly Table<LoggingLevel> Table = new("logging-levels", l => (l.Account, Storage.Key.Of(l.TargetType, l.TargetName)));

    /// <summary>Service quota "Maximum number of resource-specific logging configurations".</summary>
    public const int PerAccountMax = 1000;

    public required AccountId Account { get; init; }

    /// <summary>THING_GROUP, CLIENT_ID, SOURCE_IP or PRINCIPAL_ID.</summary>
    public required string TargetType { get; init; }
    public required string TargetName { get; init; }
    public required IotLogLevel Level { get; init; }
}

/// <summary>In ascending verbosity, named as in the model.</summary>
enum IotLogLevel { DISABLED, ERROR, WARN, INFO, DEBUG }
