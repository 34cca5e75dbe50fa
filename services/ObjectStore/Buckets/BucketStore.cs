using Althing.Identity;
using Althing.Storage;

namespace Althing.ObjectStore.Buckets;

/// <summary>Finds buckets for their owners, and for nobody else.</summary>
sealed class BucketStore(IStore store)
{
    /// <exception cref="Althing.Api.ServiceException">NoSuchBucket; AccessDenied when it is another account's.</exception>
    public async ValueTask<Row<Bucket>> Require(Caller caller, string name, CancellationToken cancel)
    {
        var row = await Require(name, cancel);
        return row.Value.Owner == caller.Account ? row : throw Refuse.AccessDenied("Access Denied");
    }

    public async ValueTask<Row<Bucket>> Require(string name, CancellationToken cancel) =>
        await store.Get(Bucket.Table, AccountId.Platform, name, cancel) ?? throw Refuse.NoSuchBucket(name);

    /// <summary>A bucket of the account's; null when it has none of this name.</summary>
    public async ValueTask<Bucket?> Find(AccountId account, string name, CancellationToken cancel) =>
        await store.Get(Bucket.Table, AccountId.Platform, name, cancel) is { Value: var bucket } && bucket.Owner == account ? bucket : null;

    /// <summary>The account's buckets by name.</summary>
    public async ValueTask<IReadOnlyList<Bucket>> Of(AccountId account, CancellationToken cancel)
    {
        List<Bucket> found = [];
        string? after = null;
        while (true)
        {
            var rows = await store.Scan(Bucket.Table, AccountId.Platform, Scan.By("owner", account.Value) with { After = after }, cancel);
            found.AddRange(rows.Select(r => r.Value).Where(b => !b.Making));
            if (rows.Count < Scan.LimitMax)
                return found;
            after = rows[^1].Cursor;
        }
    }
}
