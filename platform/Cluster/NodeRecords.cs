using Althing.Storage;

namespace Althing.Cluster;

/// <summary>What became of a node.</summary>
enum NodeState
{
    /// <summary>It runs, or ran when it was last heard of.</summary>
    Up,

    /// <summary>It stopped in order and has written everything.</summary>
    Left,

    /// <summary>Another node is taking over what it had.</summary>
    BeingAdopted,

    /// <summary>Another node has all that it had.</summary>
    Adopted,
}

/// <summary>
/// A node of the cluster. The row changes only when the node starts, leaves, or is adopted; everything that it writes depends on the row's
/// version, so that it can write nothing after somebody else changed the row.
/// </summary>
/// <param name="Folder">Names its data folder, so that two machines do not take one name.</param>
/// <param name="Address">Where the other nodes reach it.</param>
/// <param name="Heir">The node that adopts it or has.</param>
sealed record NodeRecord(string Name, string Folder, long Epoch, string Address, NodeState State, string? Heir = null)
{
    public static readonly Table<NodeRecord> Table = new("cluster-nodes", n => (AccountId.Platform, n.Name));
}

/// <summary>A sign of life: the others look whether its version rises, by their own clocks.</summary>
sealed record LeaseRecord(string Name, long Epoch)
{
    public static readonly Table<LeaseRecord> Table = new("cluster-leases", l => (AccountId.Platform, l.Name));
}

/// <summary>What all nodes must have alike, sealed with the master key.</summary>
sealed record SharedSecret(string Name, byte[] Sealed)
{
    public static readonly Table<SharedSecret> Table = new("cluster-secrets", s => (AccountId.Platform, s.Name));
}
