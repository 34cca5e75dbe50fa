using Althing.Cluster;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Althing.Host;

/// <summary>What <c>up --join</c> does before the platform starts. Where it is not given, nothing here runs.</summary>
sealed class Joining(AccountId account, ClusterNode node)
{
    const string NameFile = "node.name";

    /// <summary>Nodes that start at one moment on an empty database: one makes the account, the others come again.</summary>
    const int TriesMax = 10;
    static readonly TimeSpan Again = TimeSpan.FromMilliseconds(300);

    public AccountId Account => account;

    public void AddTo(IServiceCollection services) => services.AddCluster(node);

    public static async Task<Joining> Prepare(PlatformStorage storage, HostOptions options, Func<Task<AccountId>> firstStart)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                var secrets = new SharedSecrets(storage.Store, storage.Folder);
                var master = await secrets.Fetch(CancellationToken.None);
                var account = await firstStart();
                using var pki = new PlatformPki(storage.Folder, options.HostName is { } name ? [name] : [], TimeProvider.System);
                await secrets.Share(master, CancellationToken.None);
                var node = new ClusterOptions { Name = NameOf(options), Address = options.NodeAddress };
                return new(account, await ClusterNode.Join(storage, node, master, pki, TimeProvider.System, CancellationToken.None));
            }
            catch (StorageConflictException) when (tries < TriesMax)
            {
                await Task.Delay(Again, TimeProvider.System);
            }
        }
    }

    public static Task RefuseAlone(PlatformStorage storage) => ClusterNode.RefuseIfCluster(storage.Store, CancellationToken.None);

    static string NameOf(HostOptions options)
    {
        var path = Path.Combine(options.Folder, NameFile);
        var name = options.Node ?? (File.Exists(path) ? File.ReadAllText(path).Trim() : Environment.MachineName);
        File.WriteAllText(path, name);
        return name;
    }
}
