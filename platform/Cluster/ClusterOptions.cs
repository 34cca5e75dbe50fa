namespace Althing.Cluster;

/// <summary>How a node joins.</summary>
public sealed record ClusterOptions
{
    /// <summary>The node's own name: letters, digits and hyphens.</summary>
    public required string Name { get; init; }

    /// <summary>Where the other nodes reach it. Without an address of its own it listens on loopback alone, and plain.</summary>
    public NodeAddress Address { get; init; } = NodeAddress.Loopback(0);

    /// <summary>How often a node says that it lives.</summary>
    public TimeSpan LeaseEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A node that could not say so for this long acknowledges nothing more and ends.</summary>
    public TimeSpan LeaseMax { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A node that was not heard of for this long is adopted by another; longer than <see cref="LeaseMax"/>.</summary>
    public TimeSpan AdoptAfter { get; init; } = TimeSpan.FromSeconds(6);
}

/// <summary>The node cannot be one of the cluster; the message says why and what to do.</summary>
public sealed class ClusterException(string message, Exception? inner = null) : Exception(message, inner);
