using Althing.Identity;
using Althing.Storage;

namespace Althing.Cluster;

/// <summary>
/// What the first start makes in the data folder and all nodes must have alike: the certificate authority, and the console's password. It is
/// kept in the database, sealed with the master key, which is the one thing that an administrator carries from node to node.
/// </summary>
public sealed class SharedSecrets(IStore store, string folder)
{
    public const string MasterKeyVariable = "ALTHING_MASTER_KEY";
    const string Purpose = "secrets that nodes share";

    static readonly string[] Authority = ["ca.key", "ca.pem"];
    static readonly string[] Files = [.. Authority, ConsolePassword.HashFileName, ConsolePassword.FileName];

    /// <summary>Before the first start makes anything: brings what the cluster has into the data folder.</summary>
    /// <returns>The master key.</returns>
    /// <exception cref="ClusterException">The folder has no master key, another one, or an authority of its own.</exception>
    public async Task<MasterKey> Fetch(CancellationToken cancel)
    {
        var rows = await store.Scan(SharedSecret.Table, AccountId.Platform, Scan.All, cancel);
        var path = Path.Combine(folder, MasterKey.FileName);
        if (!File.Exists(path) && Environment.GetEnvironmentVariable(MasterKeyVariable) is { Length: > 0 } given)
            PrivateFile.Write(path, given.Trim());
        if (rows.Count > 0 && !File.Exists(path))
            throw new ClusterException($"'{path}' is missing: all nodes have one master key. Copy it from another node's data folder, or set {MasterKeyVariable} to its content.");
        var master = MasterKey.Open(folder);
        foreach (var row in rows)
        {
            var content = master.Open(Purpose + "/" + row.Value.Name, row.Value.Sealed)
                ?? throw new ClusterException($"'{path}' is another key than the cluster's: copy the one of another node's data folder.");
            Bring(row.Value.Name, System.Text.Encoding.UTF8.GetString(content));
        }
        return master;
    }

    void Bring(string name, string content)
    {
        if (!Files.Contains(name))
            return;
        var path = Path.Combine(folder, name);
        if (File.Exists(path) && File.ReadAllText(path) == content)
            return;
        if (File.Exists(path) && Authority.Contains(name))
            throw new ClusterException($"'{path}' is of another certificate authority than the cluster's: join with an empty data folder that has the master key alone.");
        PrivateFile.Write(path, content);
    }

    /// <summary>After the first start: keeps what it made for the nodes to come, unless that was done before.</summary>
    /// <exception cref="StorageConflictException">Another node was first.</exception>
    public async Task Share(MasterKey master, CancellationToken cancel)
    {
        if (await store.Count(SharedSecret.Table, AccountId.Platform, Scan.All, cancel) > 0)
            return;
        var batch = new Batch();
        foreach (var name in Files.Where(f => File.Exists(Path.Combine(folder, f))))
            batch.Add(SharedSecret.Table, new SharedSecret(name, master.Seal(Purpose + "/" + name, await File.ReadAllBytesAsync(Path.Combine(folder, name), cancel))));
        await store.Commit(batch, cancel);
    }
}
