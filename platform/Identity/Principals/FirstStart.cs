using Althing.Storage;

namespace Althing.Identity;

/// <summary>What a platform needs before its first caller: an account, an administrator with a key, a console password.</summary>
public sealed class FirstStart(IStore store, SigningKeys keys, TimeProvider time)
{
    public const string AdministratorName = "admin";
    public static readonly AccountId DefaultAccount = new("000000000000");

    const string AdministratorPolicy = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}""";

    /// <summary>Makes what is missing in the data folder and answers the first account.</summary>
    /// <exception cref="InvalidOperationException">The folder belongs to another account than the one asked for.</exception>
    public async Task<AccountId> Run(string folder, AccountId? asked, (string Id, string Secret)? preset, CancellationToken cancel)
    {
        var first = await FirstAccount(cancel);
        if (first is { } is_ && asked is { } wanted && is_ != wanted)
            throw new InvalidOperationException($"The data folder '{folder}' belongs to account {is_}, not {wanted}. Leave --account out, or give another --data folder; further accounts are made with 'althing account create'.");
        var id = first ?? asked ?? DefaultAccount;
        if (first is null)
        {
            var (key, secret) = await CreateAccount(id, preset, cancel);
            WriteCredentials(folder, key, secret);
        }
        else if (preset is { } given)
        {
            await Preset(folder, id, given, cancel);
        }
        else if (CredentialsFile.Read(folder) is null)
        {
            await Rewrite(folder, id, cancel);
        }
        if (!File.Exists(Path.Combine(folder, ConsolePassword.HashFileName)))
            ConsolePassword.Create(folder);
        return id;
    }

    /// <summary>The account that the platform began with, whose administrators are the platform's; null before the first start.</summary>
    public async Task<AccountId?> FirstAccount(CancellationToken cancel) =>
        (await Accounts(cancel)).MinBy(a => a.CreatedAt)?.Id;

    /// <summary>All accounts, by id.</summary>
    public async Task<IReadOnlyList<Account>> Accounts(CancellationToken cancel)
    {
        List<Account> accounts = [];
        var scan = Scan.All;
        while (await store.Scan(Account.Table, AccountId.Platform, scan, cancel) is { Count: > 0 } page)
        {
            accounts.AddRange(page.Select(r => r.Value));
            scan = scan with { After = page[^1].Cursor };
        }
        return accounts;
    }

    /// <summary>Makes an account with an administrator and answers the administrator's key.</summary>
    /// <exception cref="StorageConflictException">There is such an account already.</exception>
    public async Task<(AccessKey Key, Secret Secret)> CreateAccount(AccountId id, (string Id, string Secret)? preset, CancellationToken cancel)
    {
        var (key, secret) = keys.Create(id, AdministratorName, preset?.Id, preset?.Secret);
        await store.Commit(new Batch()
            .Add(Account.Table, new Account { Id = id, CreatedAt = time.GetUtcNow() })
            .Add(User.Table, Administrator(id))
            .Add(AccessKey.Table, key), cancel);
        return (key, secret);
    }

    User Administrator(AccountId account) => new()
    {
        Account = account,
        Name = AdministratorName,
        Id = PrincipalIds.User(),
        CreatedAt = time.GetUtcNow(),
        Policies = new Dictionary<string, string> { ["administrator"] = AdministratorPolicy },
    };

    async Task Preset(string folder, AccountId account, (string Id, string Secret) given, CancellationToken cancel)
    {
        var existing = await store.Get(AccessKey.Table, AccountId.Platform, given.Id, cancel);
        if (existing is { Value: { Active: true } same } && same.Account == account && same.UserName == AdministratorName && keys.SecretOf(same)?.Value == given.Secret)
            return;
        if (existing is { Value: var others } && (others.Account != account || others.UserName != AdministratorName))
            throw new InvalidOperationException($"The access key '{given.Id}' belongs to user '{others.UserName}' of account {others.Account}: preset another for the administrator.");
        var (key, secret) = keys.Create(account, AdministratorName, given.Id, given.Secret);
        var batch = new Batch().Put(AccessKey.Table, key);
        if (await store.Get(User.Table, account, User.KeyOf(AdministratorName), cancel) is null)
            batch.Add(User.Table, Administrator(account));
        await store.Commit(batch, cancel);
        keys.Changed();
        WriteCredentials(folder, key, secret);
    }

    /// <summary>The first start was interrupted before the file was written, or somebody removed it.</summary>
    async Task Rewrite(string folder, AccountId account, CancellationToken cancel)
    {
        var found = await store.Scan(AccessKey.Table, AccountId.Platform, Scan.By("user", Key.Of(account.Value, AdministratorName)), cancel);
        if (found.FirstOrDefault(k => k.Value.Active) is { Value: { } key } && keys.SecretOf(key) is { } secret)
            WriteCredentials(folder, key, secret);
    }

    static void WriteCredentials(string folder, AccessKey key, Secret secret) =>
        CredentialsFile.Put(folder, CredentialsFile.DefaultProfile, key.Id, secret);
}
