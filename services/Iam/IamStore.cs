using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam;

/// <summary>Reads users and roles, and writes so that the next request already meets what was written.</summary>
sealed class IamStore(IStore store, SigningKeys keys)
{
    /// <exception cref="Api.ServiceException">NoSuchEntity.</exception>
    public async ValueTask<Row<User>> RequireUser(AccountId account, string name, CancellationToken cancel) =>
        await store.Get(User.Table, account, User.KeyOf(name), cancel) is { } row && row.Value.Name == name
            ? row
            : throw Refuse.NoSuchEntity($"The user with name {name} cannot be found.");

    /// <exception cref="Api.ServiceException">NoSuchEntity.</exception>
    public async ValueTask<Row<Role>> RequireRole(AccountId account, string name, CancellationToken cancel) =>
        await FindRole(account, name, cancel) ?? throw Refuse.NoSuchEntity($"The role with name {name} cannot be found.");

    public async ValueTask<Row<Role>?> FindRole(AccountId account, string name, CancellationToken cancel) =>
        await store.Get(Role.Table, account, Role.KeyOf(name), cancel) is { } row && row.Value.Name == name ? row : null;

    /// <summary>A user's keys, the oldest first.</summary>
    public async ValueTask<IReadOnlyList<Row<AccessKey>>> KeysOf(AccountId account, string userName, CancellationToken cancel)
    {
        var rows = await store.Scan(AccessKey.Table, AccountId.Platform, Scan.By("user", Key.Of(account.Value, userName)), cancel);
        return [.. rows.OrderBy(r => r.Value.CreatedAt).ThenBy(r => r.Key, StringComparer.Ordinal)];
    }

    /// <exception cref="Api.ServiceException">NoSuchEntity: there is no such key, or it is another user's.</exception>
    public async ValueTask<Row<AccessKey>> RequireKey(AccountId account, string userName, string id, CancellationToken cancel) =>
        await store.Get(AccessKey.Table, AccountId.Platform, id, cancel) is { } row && row.Value.Account == account && row.Value.UserName == userName
            ? row
            : throw Refuse.NoSuchEntity($"The Access Key with id {id} cannot be found.");

    /// <summary>Writes, and lets go of every key that was cached under what held before.</summary>
    public async ValueTask Commit(Batch batch, CancellationToken cancel)
    {
        await store.Commit(batch, cancel);
        keys.Changed();
    }
}
