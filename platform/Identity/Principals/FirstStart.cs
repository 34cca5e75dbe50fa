using System.Security.Cryptography;
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
        var known = await store.Scan(Account.Table, AccountId.Platform, new() { Limit = 1000 }, cancel);
        AccountId? first = known.Count > 0 ? known.MinBy(a => a.Value.CreatedAt).Value.Id : null;
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
        else if (!File.Exists(Path.Combine(folder, "credentials")))
        {
            await Rewrite(folder, id, cancel);
        }
        if (!File.Exists(Path.Combine(folder, ConsolePassword.HashFileName)))
            ConsolePassword.Create(folder);
        return id;
    }

    /// <summary>Makes an account with an administrator and answers the administrator's key.</summary>
    public async Task<(AccessKey Key, Secret Secret)> CreateAccount(AccountId id, (string Id, string Secret)? preset, CancellationToken cancel)
    {
        var (key, secret) = keys.Create(id, AdministratorName, preset?.Id, preset?.Secret);
        await store.Commit(new Batch()
            .Add(Account.Table, new Account { Id = id, CreatedAt = time.GetUtcNow() })
            .Add(User.Table, new User
            {
                Account = id,
                Name = AdministratorName,
                Id = PrincipalIds.User(),
                CreatedAt = time.GetUtcNow(),
                Policies = new Dictionary<string, string> { ["administrator"] = AdministratorPolicy },
            })
            .Add(AccessKey.Table, key), cancel);
        return (key, secret);
    }

    async Task Preset(string folder, AccountId account, (string Id, string Secret) given, CancellationToken cancel)
    {
        if (await store.Get(AccessKey.Table, AccountId.Platform, given.Id, cancel) is { Value: var existing } && keys.SecretOf(existing)?.Value == given.Secret)
            return;
        var (key, secret) = keys.Create(account, AdministratorName, given.Id, given.Secret);
        await store.Commit(new Batch().Put(AccessKey.Table, key), cancel);
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
        PrivateFile.Write(Path.Combine(folder, "credentials"), $"[default]\naws_access_key_id = {key.Id}\naws_secret_access_key = {secret.Value}\n");
}

/// <summary>The console administrator's password: written once for a person to read, kept as a slow hash.</summary>
public sealed class ConsolePassword(string folder, TimeProvider time)
{
    public const string FileName = "console-password";
    public const string HashFileName = "console-password.hash";

    /// <summary>OWASP's figure for PBKDF2 with SHA-256 (2023).</summary>
    const int Iterations = 600_000;
    const int FailuresMax = 10;
    static readonly TimeSpan FailureWindow = TimeSpan.FromMinutes(5);

    readonly Lock gate = new();
    readonly Queue<DateTimeOffset> failures = new();

    internal static void Create(string folder)
    {
        var password = RandomNumberGenerator.GetString("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", 20);
        PrivateFile.Write(Path.Combine(folder, FileName), password + "\n");
        PrivateFile.Write(Path.Combine(folder, HashFileName), PasswordHash.Make(password, Iterations));
    }

    /// <summary>Judges a password in constant time; after ten wrong ones in five minutes every further one is refused unread.</summary>
    public bool Check(string password)
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            while (failures.TryPeek(out var oldest) && now - oldest > FailureWindow)
                failures.Dequeue();
            if (failures.Count >= FailuresMax)
                return false;
            if (PasswordHash.Check(password, File.ReadAllText(Path.Combine(folder, HashFileName)).Trim()))
                return true;
            failures.Enqueue(now);
            return false;
        }
    }
}

/// <summary>Slow hashes of passwords: PBKDF2-SHA256, as <c>iterations:salt:hash</c> in hexadecimal.</summary>
public static class PasswordHash
{
    public static string Make(string password, int iterations)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        return $"{iterations}:{Convert.ToHexStringLower(salt)}:{Convert.ToHexStringLower(Hash(password, salt, iterations))}";
    }

    public static bool Check(string password, string stored)
    {
        var parts = stored.Split(':');
        return parts.Length == 3 && int.TryParse(parts[0], System.Globalization.CultureInfo.InvariantCulture, out var iterations)
            && CryptographicOperations.FixedTimeEquals(Hash(password, Convert.FromHexString(parts[1]), iterations), Convert.FromHexString(parts[2]));
    }

    static byte[] Hash(string password, byte[] salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA256, 32);
}
