using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Althing.Api;
using Althing.Broker;
using Althing.Core.Policies;
using Althing.Storage;

namespace Althing.Core.Authority;

/// <summary>The names and passwords of clients of the plain MQTT listener: the administrator's command line makes them, the broker asks.</summary>
/// <remarks>A user is judged by the named policies and documents just as a certificate is; thing variables have no value for it.</remarks>
public sealed class MqttUsers
{
    /// <summary>OWASP's figure for PBKDF2 with HMAC-SHA-256.</summary>
    const int Iterations = 600_000;
    const int SaltBytes = 16;
    const int HashBytes = 32;
    const int NameCharactersMax = 128;
    const int PasswordBytesMin = 8;
    const int PasswordBytesMax = 1024;

    /// <summary>Checking a password costs a core for a moment: no more of them at once than this, so that guessers cannot take the machine.</summary>
    static readonly SemaphoreSlim Checking = new(Math.Max(1, Environment.ProcessorCount / 2));

    /// <summary>Passwords found right lately; beyond this many the memory begins anew.</summary>
    const int RememberedMax = 10_000;

    readonly IStore store;
    readonly TimeProvider clock;

    // A fleet that reconnects would wait long for its password hashes: what was right a while ago is recognized by a quick keyed hash
    // that is worth nothing outside this process.
    readonly ConcurrentDictionary<string, byte[]> remembered = new();
    readonly byte[] rememberKey = RandomNumberGenerator.GetBytes(HashBytes);

    internal MqttUsers(IStore store, TimeProvider clock) => (this.store, this.clock) = (store, clock);

    /// <summary>Told when a user was deleted, so that its connections end.</summary>
    internal event Action<AccountId, string>? Deleted;

    /// <summary>Makes a user.</summary>
    /// <exception cref="ServiceException">
    /// InvalidRequestException, MalformedPolicyException, ResourceNotFoundException for a policy name, ResourceAlreadyExistsException: user
    /// names are unique on the whole platform.
    /// </exception>
    public async ValueTask Create(NewMqttUser user, CancellationToken cancel)
    {
        Check(user);
        foreach (var document in user.PolicyDocuments)
            PolicyStore.CheckDocument(document);
        foreach (var name in user.PolicyNames)
        {
            if (await store.Get(Policy.Table, user.Account, name, cancel) is null)
                throw Refuse.ResourceNotFound($"There is no policy '{name}' in account {user.Account}.");
        }
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var row = new MqttUser
        {
            Account = user.Account,
            Name = user.Name,
            Region = user.Region,
            CreatedAt = clock.GetUtcNow(),
            Salt = salt,
            Hash = Hash(Encoding.UTF8.GetBytes(user.Password), salt, Iterations),
            Iterations = Iterations,
            PolicyNames = [.. user.PolicyNames],
            PolicyDocuments = [.. user.PolicyDocuments],
            ClientIdPattern = user.ClientIdPattern,
        };
        try
        {
            var owner = new MqttUserOwner { Name = user.Name, Owner = user.Account };
            await store.Commit(new Batch().Add(MqttUser.Table, row).Add(MqttUserOwner.Table, owner), cancel);
        }
        catch (StorageConflictException)
        {
            throw Refuse.ResourceAlreadyExists($"There is an MQTT user '{user.Name}' already. Delete it first, or take another name.", user.Name, null);
        }
    }

    /// <summary>The account's users in order of name.</summary>
    public async ValueTask<IReadOnlyList<MqttUserSummary>> List(AccountId account, CancellationToken cancel) =>
    [
        .. from row in await store.Scan(MqttUser.Table, account, Scan.All, cancel)
           select new MqttUserSummary(row.Value.Name, row.Value.CreatedAt, row.Value.PolicyNames, row.Value.PolicyDocuments.Count, row.Value.ClientIdPattern),
    ];

    /// <summary>Deletes a user and ends its connections; false when there is none.</summary>
    public async ValueTask<bool> Delete(AccountId account, string name, CancellationToken cancel)
    {
        if (await store.Get(MqttUser.Table, account, name, cancel) is null)
            return false;
        await store.Commit(new Batch().Delete(MqttUser.Table, account, name).Delete(MqttUserOwner.Table, AccountId.Platform, name), cancel);
        Deleted?.Invoke(account, name);
        return true;
    }

    /// <summary>Who this user name and password are; null when they are nobody, or may not use this client id.</summary>
    internal async ValueTask<DevicePrincipal?> Identify(string clientId, string? userName, ReadOnlyMemory<byte> password, CancellationToken cancel)
    {
        if (userName is null or { Length: > NameCharactersMax } || password.Length is 0 or > PasswordBytesMax)
            return null;
        // Metrics that SDKs append as a query string are no part of the name.
        var name = userName.Split('?')[0];
        var user = name.Length > 0 && await store.Get(MqttUserOwner.Table, AccountId.Platform, name, cancel) is { } owner
            ? (await store.Get(MqttUser.Table, owner.Value.Owner, name, cancel))?.Value
            : null;
        // An unknown name costs as much as a wrong password, so that names cannot be told apart by time.
        var right = await IsRight(password, user, cancel);
        return right && (user!.ClientIdPattern is not { } pattern || Fits(pattern, clientId)) ? user.Principal : null;
    }

    async ValueTask<bool> IsRight(ReadOnlyMemory<byte> password, MqttUser? user, CancellationToken cancel)
    {
        // The stored hash is part of what is remembered, so that a user made anew with another password is not taken for the old one.
        var quick = HMACSHA256.HashData(rememberKey, (byte[])[.. user?.Hash ?? [], .. password.Span]);
        if (IsRemembered())
            return true;
        await Checking.WaitAsync(cancel);
        try
        {
            // Clients of one user often come all at once, after a restart: the first one's password is worked out, the others were waiting here.
            if (IsRemembered())
                return true;
            var salt = user?.Salt ?? new byte[SaltBytes];
            var expected = user?.Hash ?? new byte[HashBytes];
            var given = await Task.Run(() => Hash(password.Span, salt, user?.Iterations ?? Iterations), cancel);
            if (!CryptographicOperations.FixedTimeEquals(given, expected) || user is null)
                return false;
            if (remembered.Count >= RememberedMax)
                remembered.Clear();
            remembered[user.Name] = quick;
            return true;
        }
        finally
        {
            Checking.Release();
        }

        bool IsRemembered() => user is not null && remembered.TryGetValue(user.Name, out var known) && CryptographicOperations.FixedTimeEquals(known, quick);
    }

    static bool Fits(string pattern, string clientId) =>
        System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern.Replace("\\", "\\\\", StringComparison.Ordinal), clientId, ignoreCase: false);

    static byte[] Hash(ReadOnlySpan<byte> password, byte[] salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA256, HashBytes);

    static void Check(NewMqttUser user)
    {
        if (user.Name.Length is 0 or > NameCharactersMax || user.Name.AsSpan().ContainsAny("?/+#*") || user.Name.Any(char.IsControl))
            throw Refuse.InvalidRequest($"'{user.Name}' cannot be an MQTT user's name: 1 to {NameCharactersMax} characters without ? / + # * and control characters.");
        var bytes = Encoding.UTF8.GetByteCount(user.Password);
        if (bytes is < PasswordBytesMin or > PasswordBytesMax)
            throw Refuse.InvalidRequest($"An MQTT user's password needs {PasswordBytesMin} to {PasswordBytesMax} bytes; this has {bytes}.");
        if (user.PolicyNames.Count + user.PolicyDocuments.Count is 0 or > PolicyTargets.PoliciesPerPrincipalMax)
            throw Refuse.InvalidRequest($"Give the MQTT user 1 to {PolicyTargets.PoliciesPerPrincipalMax} policies, by name or as documents.");
    }
}

/// <summary>What the administrator gives to make a user.</summary>
public sealed record NewMqttUser
{
    public required AccountId Account { get; init; }
    public required string Name { get; init; }
    public required string Password { get; init; }

    /// <summary>The region in the ARNs that the policies are held against.</summary>
    public string Region { get; init; } = "us-east-1";
    public IReadOnlyList<string> PolicyNames { get; init; } = [];
    public IReadOnlyList<string> PolicyDocuments { get; init; } = [];

    /// <summary>Client ids that the user may connect with, <c>*</c> for any run of characters and <c>?</c> for one; null for every one.</summary>
    public string? ClientIdPattern { get; init; }

    // Records print their members; a password must not reach a log that way.
    public override string ToString() => $"NewMqttUser {{ {Account}, {Name} }}";
}

/// <summary>A user as lists show it; nothing in it tells the password.</summary>
public sealed record MqttUserSummary(string Name, DateTimeOffset CreatedAt, IReadOnlyList<string> PolicyNames, int PolicyDocuments, string? ClientIdPattern);
