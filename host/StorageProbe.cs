using Althing.Identity;
using Althing.Storage;
using Althing.Telemetry;

namespace Althing.Host;

/// <summary>Is the storage well? It is when it answers a read.</summary>
sealed class StorageProbe(IStore store) : IHealthProbe
{
    public string Name => "storage";

    public async ValueTask<string?> Check(CancellationToken cancel)
    {
        await store.Count(Account.Table, AccountId.Platform, new() { Limit = 1 }, cancel);
        return null;
    }
}
