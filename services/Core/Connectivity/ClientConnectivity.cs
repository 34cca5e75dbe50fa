using Althing.Storage;

namespace Althing.Core.Connectivity;

/// <summary>The last thing known of a client's connection, kept beyond connection, session and restart.</summary>
sealed record ClientConnectivity
{
    public static readonly Table<ClientConnectivity> Table = new("client-connectivity", c => (c.Account, c.ClientId),
        Index<ClientConnectivity>.On("thing", c => c.ThingName));

    public required AccountId Account { get; init; }
    public required string ClientId { get; init; }

    /// <summary>The thing that the connection stood for, or that is named like the client.</summary>
    public required string ThingName { get; init; }
    public required bool Connected { get; init; }

    /// <summary>Since when.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Why it ended; null while it is connected.</summary>
    public string? DisconnectReason { get; init; }
    public string? SourceIp { get; init; }
    public int? SourcePort { get; init; }
    public string? TargetIp { get; init; }
    public int? TargetPort { get; init; }
    public int KeepAliveSeconds { get; init; }
    public bool CleanSession { get; init; }
    public long SessionExpirySeconds { get; init; }

    /// <summary>Which of the client's connections this is.</summary>
    public long Number { get; init; }
}
