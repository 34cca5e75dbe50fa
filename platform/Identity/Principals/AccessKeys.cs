using System.Text.RegularExpressions;
using Althing.Storage;

namespace Althing.Identity;

/// <summary>Keys as the command line gives them out: a user for each name, with at most two keys and a policy.</summary>
/// <remarks>Works on the store itself, so also while no platform runs; a running one must be asked by its <c>iam</c> API instead.</remarks>
public sealed partial class AccessKeys(IStore store, SigningKeys keys, TimeProvider time)
{
    /// <summary>Quota "Access keys assigned to an IAM user".</summary>
    public const int PerUserMax = 2;

    /// <summary>The inline policy that is written when a key is made with one.</summary>
    public const string PolicyName = "key-policy";

    const int AttemptsMax = 20;

    /// <summary>Makes a key for a user, who is made too if there is none of this name.</summary>
    /// <param name="policyJson">What the user may do from now on; null leaves it as it is, which for a new user is nothing.</param>
    /// <exception cref="PolicyFormatException">The policy is none.</exception>
    /// <exception cref="InvalidOperationException">The name is none, there is no such account, or the user has two keys already; the message says what to do.</exception>
    public async Task<(AccessKey Key, Secret Secret)> Create(AccountId account, string userName, string? policyJson, CancellationToken cancel)
    {
        if (!UserName().IsMatch(userName))
            throw new InvalidOperationException($"'{userName}' is not a user's name: give 1 to 64 letters, digits or any of _+=,.@-");
        if (policyJson is not null)
            PolicyDocument.Parse(policyJson);
        if (await store.Get(Account.Table, AccountId.Platform, account.Value, cancel) is null)
            throw new InvalidOperationException($"There is no account {account}. Make it with 'althing account create {account}'.");
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await TryCreate(account, userName, policyJson, cancel);
            }
            catch (StorageConflictException) when (attempt < AttemptsMax)
            {
                // Somebody else wrote the user first.
            }
        }
    }

    /// <summary>All keys of an account, by user and age.</summary>
    public async Task<IReadOnlyList<AccessKey>> List(AccountId account, CancellationToken cancel)
    {
        List<AccessKey> found = [];
        var scan = new Scan { Index = "user", Prefix = Key.Prefix(account.Value) };
        while (await store.Scan(AccessKey.Table, AccountId.Platform, scan, cancel) is { Count: > 0 } page)
        {
            found.AddRange(page.Select(r => r.Value));
            scan = scan with { After = page[^1].Cursor };
        }
        return [.. found.OrderBy(k => k.UserName, StringComparer.Ordinal).ThenBy(k => k.CreatedAt)];
    }

    /// <summary>Deletes a key of an account; its user stays. Answers the key, or null when the account has none of this id.</summary>
    public async Task<AccessKey?> Revoke(AccountId account, string id, CancellationToken cancel)
    {
        if (await store.Get(AccessKey.Table, AccountId.Platform, id, cancel) is not { Value: var key } || key.Account != account)
            return null;
        await store.Commit(new Batch().Delete<AccessKey>(AccessKey.Table, AccountId.Platform, id), cancel);
        keys.Changed();
        return key;
    }

    async Task<(AccessKey, Secret)> TryCreate(AccountId account, string userName, string? policyJson, CancellationToken cancel)
    {
        var batch = new Batch();
        var row = await store.Get(User.Table, account, User.KeyOf(userName), cancel);
        if (row is { Value: var existing } && existing.Name != userName)
            throw new InvalidOperationException($"There is a user '{existing.Name}' already, and names that differ only in case are one name.");
        var user = row?.Value ?? new User { Account = account, Name = userName, Id = PrincipalIds.User(), CreatedAt = time.GetUtcNow() };
        if (policyJson is not null)
            user = user with { Policies = new Dictionary<string, string>(user.Policies) { [PolicyName] = policyJson } };
        if (row is null)
            batch.Add(User.Table, user);
        else
            batch.Replace(User.Table, row.Value, user);
        var owned = await store.Scan(AccessKey.Table, AccountId.Platform, Scan.By("user", Key.Of(account.Value, userName)), cancel);
        if (owned.Count >= PerUserMax)
            throw new InvalidOperationException($"'{userName}' has {PerUserMax} keys already: {string.Join(", ", owned.Select(k => k.Value.Id))}. Revoke one first.");
        var (key, secret) = keys.Create(account, userName);
        await store.Commit(batch.Add(AccessKey.Table, key), cancel);
        keys.Changed();
        return (key, secret);
    }

    [GeneratedRegex(@"^[\w+=,.@-]{1,64}\z")]
    private static partial Regex UserName();
}
