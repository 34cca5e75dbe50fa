using Althing.Broker;
using Althing.Cluster;
using Althing.Storage;

namespace Althing.Host;

/// <summary>Where the platform listens and keeps its data.</summary>
sealed record HostOptions
{
    public const int HttpPort = 8080;
    public const int HttpsPort = 8443;
    public const int MqttsPort = 8883;

    public required string Folder { get; init; }

    /// <summary>The first account, at the first start; null for the one there is, or 000000000000.</summary>
    public AccountId? Account { get; init; }

    /// <summary>APIs and console, plain, on loopback only.</summary>
    public int Http { get; init; } = HttpPort;

    /// <summary>APIs, console and devices over TLS, with or without a client certificate.</summary>
    public int Https { get; init; } = HttpsPort;

    /// <summary>MQTT over TLS.</summary>
    public int Mqtts { get; init; } = MqttsPort;

    /// <summary>Plain MQTT on loopback; null for none.</summary>
    public int? Mqtt { get; init; }

    /// <summary>The name that devices use for this machine; part of the server certificate.</summary>
    public string? HostName { get; init; }

    /// <summary>The region that the console opens with; clients say theirs in each signature.</summary>
    public string Region { get; init; } = UsualRegion;

    /// <summary>The region of whoever sits at the terminal, from the variables of the AWS tools.</summary>
    public static string UsualRegion => Environment.GetEnvironmentVariable("AWS_REGION") ?? Environment.GetEnvironmentVariable("AWS_DEFAULT_REGION") ?? "us-east-1";

    /// <summary>What may stand at the doors.</summary>
    public DoorLimits Doors { get; init; } = new();

    /// <summary>The broker's limits.</summary>
    public BrokerOptions Broker { get; init; } = new();

    public string? PostgreSql { get; init; }

    /// <summary>Be one of several nodes on one PostgreSQL.</summary>
    public bool Join { get; init; }

    /// <summary>The node's name; null for the one it had, or the machine's.</summary>
    public string? Node { get; init; }

    /// <summary>Where other nodes reach this one.</summary>
    public NodeAddress NodeAddress { get; init; } = new ClusterOptions { Name = "" }.Address;

    /// <summary>Where blobs are, if not in the data folder.</summary>
    public string? Blobs { get; init; }

    /// <summary>Lets clients of the plain listener in without a name.</summary>
    public bool Anonymous { get; init; }

    public bool Demo { get; init; }

    public bool JsonLogs { get; init; }

    /// <summary>A key for the administrator that CI knows beforehand.</summary>
    public (string Id, string Secret)? PresetKey { get; init; }
}
