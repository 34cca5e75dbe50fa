namespace Althing.Ota;

/// <summary>The limits of MQTT-based file delivery ("AWS IoT Core endpoints and quotas", MQTT-based file delivery). Register another instance to have other ones.</summary>
public sealed record StreamLimits
{
    /// <summary>Streams of an account ("Maximum streams per account").</summary>
    public int StreamsMax { get; init; } = 10_000;

    /// <summary>Requests of one client that may wait at a time; more are refused with RequestThrottled.</summary>
    public int RequestsInFlightMax { get; init; } = 10;

    /// <summary>Requests of all clients that may wait at a time.</summary>
    public int WaitingMax { get; init; } = 50_000;

    /// <summary>Bytes of files that are kept in memory for those who ask for them next, of all accounts.</summary>
    public long CachedBytesMax { get; init; } = 64L << 20;

    /// <summary>What is read from the object store at once.</summary>
    public int RangeBytes { get; init; } = 1 << 20;
}
