namespace Althing.Host;

/// <summary>How much may stand at the doors before it has said who it is.</summary>
sealed record DoorLimits
{
    /// <summary>TLS handshakes under way at once: each holds some tens of kilobytes. Further connections wait, which costs little.</summary>
    public int HandshakesMax { get; init; } = 1024;

    /// <summary>Of these, as many of one address, so that one that stalls its handshakes leaves room for the others.</summary>
    public int HandshakesPerAddressMax { get; init; } = 128;

    /// <summary>Connections that wait for their handshake; what comes beyond is closed at once.</summary>
    public int WaitingMax { get; init; } = 20_000;

    /// <summary>How long a connection may wait for its handshake: clients give up about then.</summary>
    public TimeSpan WaitMax { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Connections that have not said who they are, as many of one address; what comes beyond is closed at once.</summary>
    public int UnknownPerAddressMax { get; init; } = 10_000;

    /// <summary>New connections of one address in a second, once its burst is used up; 0 for any number. This machine itself is not counted.</summary>
    public int ConnectionsPerSecondMax { get; init; } = 1_000;

    /// <summary>Connections that an address saves up: behind one there may be a whole factory.</summary>
    public int ConnectionBurst { get; init; } = 20_000;

    /// <summary>Addresses remembered for all this; when there are more, those that have nothing open are forgotten.</summary>
    public int AddressesMax { get; init; } = 100_000;
}
