using Althing.Identity;
using Althing.Storage;

namespace Althing.Iam.Administration;

/// <summary>Works on the store itself. Only for a data folder that this process has opened, so that no platform runs on it.</summary>
/// <param name="account">Whose keys; null for the account that the platform began with.</param>
public sealed class OfflineAdministration(IStore store, MasterKey master, TimeProvider time, AccountId? account = null) : IAdministration
{
    readonly SigningKeys signing = new(store, master, time);

    AccessKeys Keys => new(store, signing, time);
    FirstStart Start => new(store, signing, time);

    public async Task<NewKey> CreateKey(string userName, string? policyJson, CancellationToken cancel)
    {
        try
        {
            var (key, secret) = await Keys.Create(await Owner(cancel), userName, policyJson, cancel);
            return new(key.UserName, key.Id, secret);
        }
        catch (Exception refusal) when (refusal is PolicyFormatException or InvalidOperationException)
        {
            throw new AdministrationException(refusal.Message, refusal);
        }
    }

    public async Task<IReadOnlyList<KeySummary>> ListKeys(CancellationToken cancel) =>
        [.. (await Keys.List(await Owner(cancel), cancel)).Select(Summary)];

    public async Task<KeySummary> RevokeKey(string accessKeyId, CancellationToken cancel) =>
        await Keys.Revoke(await Owner(cancel), accessKeyId, cancel) is { } key ? Summary(key) : throw KeyNotFound(accessKeyId);

    public async Task<NewKey> CreateAccount(AccountId account, CancellationToken cancel)
    {
        await Owner(cancel);
        try
        {
            var (key, secret) = await Start.CreateAccount(account, null, cancel);
            return new(key.UserName, key.Id, secret);
        }
        catch (StorageConflictException)
        {
            throw new AdministrationException($"There is an account {account} already.");
        }
    }

    public async Task<IReadOnlyList<AccountId>> ListAccounts(CancellationToken cancel) => [.. (await Start.Accounts(cancel)).Select(a => a.Id)];

    async Task<AccountId> Owner(CancellationToken cancel) => account ?? await Start.FirstAccount(cancel)
        ?? throw new AdministrationException("The data folder has no account yet. Start the platform once with 'althing up'.");

    static KeySummary Summary(AccessKey key) => new(key.UserName, key.Id, key.Active, key.CreatedAt);

    internal static AdministrationException KeyNotFound(string id) => new($"The account has no key '{id}'. 'althing key list' shows those there are.");
}
