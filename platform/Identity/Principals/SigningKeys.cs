using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Althing.Storage;

namespace Althing.Identity;

/// <summary>Why a key cannot be used.</summary>
public enum KeyProblem { None, Unknown, InvalidToken, ExpiredToken }

/// <summary>Finds who owns an access key, long-lived or temporary.</summary>
public sealed class SigningKeys(IStore store, MasterKey master, TimeProvider time)
{
    const string SecretPurpose = "access-key-secret";
    const string SessionPurpose = "session-token";

    readonly ConcurrentDictionary<string, SigningKey> cache = new(StringComparer.Ordinal);

    /// <summary>The key, or why it cannot be used. Policies are those of now, for sessions too.</summary>
    public async ValueTask<(SigningKey? Key, KeyProblem Problem)> Find(string accessKeyId, string? sessionToken, string region, CancellationToken cancel)
    {
        if (sessionToken is not null)
            return await FindSession(accessKeyId, sessionToken, region, cancel);
        if (!cache.TryGetValue(accessKeyId, out var known))
        {
            if (await Load(accessKeyId, cancel) is not { } loaded)
                return (null, KeyProblem.Unknown);
            cache[accessKeyId] = known = loaded;
        }
        return (known with { Caller = known.Caller with { Region = region } }, KeyProblem.None);
    }

    /// <summary>Forgets what is cached: called after any change of users, keys or policies, so that it acts on the next request.</summary>
    public void Changed() => cache.Clear();

    /// <summary>Adds an active key for a user to a batch.</summary>
    public (AccessKey Key, Secret Secret) Create(AccountId account, string userName, string? presetId = null, string? presetSecret = null)
    {
        var secret = presetSecret is null ? PrincipalIds.SecretKey() : new(presetSecret);
        var key = new AccessKey
        {
            Id = presetId ?? PrincipalIds.AccessKey(),
            Account = account,
            UserName = userName,
            SealedSecret = master.Seal(SecretPurpose, Encoding.UTF8.GetBytes(secret.Value)),
            Active = true,
            CreatedAt = time.GetUtcNow(),
        };
        return (key, secret);
    }

    public Secret? SecretOf(AccessKey key) =>
        master.Open(SecretPurpose, key.SealedSecret) is { } plain ? new Secret(Encoding.UTF8.GetString(plain)) : null;

    /// <summary>What a session token carries, sealed: sessions need no storage and survive a restart.</summary>
    sealed record Session(string KeyId, string Secret, string Account, string? RoleName, string? UserName, string SessionName, DateTimeOffset Expires, string? Policy);

    /// <summary>Temporary credentials of a role, or of a user's session when no role is given.</summary>
    /// <param name="policy">A session policy that must allow as well.</param>
    public (SigningKey Key, DateTimeOffset Expires) CreateSession(AccountId account, Role? role, string? userName, string sessionName, TimeSpan duration, string? policy)
    {
        var expires = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().Add(duration).ToUnixTimeSeconds());
        var session = new Session(PrincipalIds.TemporaryKey(), PrincipalIds.SecretKey().Value, account.Value, role?.Name, userName, sessionName, expires, policy);
        var token = Convert.ToBase64String(master.Seal(SessionPurpose, JsonSerializer.SerializeToUtf8Bytes(session)));
        var caller = new Caller
        {
            Account = account,
            Arn = role is null ? $"arn:aws:iam::{account}:user/{userName}" : $"arn:aws:sts::{account}:assumed-role/{role.Name}/{sessionName}",
            UserId = role is null ? userName! : $"{role.Id}:{sessionName}",
            Kind = role is null ? CallerKind.User : CallerKind.AssumedRole,
            Region = "us-east-1",
        };
        return (new(session.KeyId, new(session.Secret), token, caller), expires);
    }

    async ValueTask<(SigningKey?, KeyProblem)> FindSession(string accessKeyId, string token, string region, CancellationToken cancel)
    {
        var bytes = new byte[token.Length];
        if (!Convert.TryFromBase64String(token, bytes, out var length)
            || master.Open(SessionPurpose, bytes.AsSpan(0, length)) is not { } plain
            || JsonSerializer.Deserialize<Session>(plain) is not { } session || session.KeyId != accessKeyId)
            return (null, KeyProblem.InvalidToken);
        if (session.Expires <= time.GetUtcNow())
            return (null, KeyProblem.ExpiredToken);
        var account = new AccountId(session.Account);
        var boundary = session.Policy is { } policy ? PolicyDocument.Parse(policy) : null;
        Caller? caller = session.RoleName is { } roleName
            ? await store.Get(Role.Table, account, roleName, cancel) is { } role ? OfRole(role.Value, session.SessionName) : null
            : await store.Get(User.Table, account, session.UserName!, cancel) is { } user ? OfUser(user.Value, accessKeyId) : null;
        return caller is null
            ? (null, KeyProblem.InvalidToken)
            : (new(accessKeyId, new(session.Secret), token, caller with { Region = region, Boundary = boundary, AccessKeyId = accessKeyId }), KeyProblem.None);
    }

    async ValueTask<SigningKey?> Load(string accessKeyId, CancellationToken cancel)
    {
        if (await store.Get(AccessKey.Table, AccountId.Platform, accessKeyId, cancel) is not { Value: { Active: true } key }
            || SecretOf(key) is not { } secret
            || await store.Get(User.Table, key.Account, key.UserName, cancel) is not { } user)
            return null;
        return new(accessKeyId, secret, null, OfUser(user.Value, accessKeyId));
    }

    static Caller OfUser(User user, string accessKeyId) => new()
    {
        Account = user.Account,
        Arn = user.Arn,
        UserId = user.Id,
        Kind = CallerKind.User,
        Region = "us-east-1",
        Policies = [.. user.Policies.Values.Select(p => PolicyDocument.Parse(p))],
        AccessKeyId = accessKeyId,
        Context = new Dictionary<string, string> { ["aws:username"] = user.Name, ["aws:userid"] = user.Id, ["aws:PrincipalArn"] = user.Arn, ["aws:PrincipalAccount"] = user.Account.Value },
    };

    static Caller OfRole(Role role, string sessionName) => new()
    {
        Account = role.Account,
        Arn = $"arn:aws:sts::{role.Account}:assumed-role/{role.Name}/{sessionName}",
        UserId = $"{role.Id}:{sessionName}",
        Kind = CallerKind.AssumedRole,
        Region = "us-east-1",
        Policies = [.. role.Policies.Values.Select(p => PolicyDocument.Parse(p))],
        Context = new Dictionary<string, string> { ["aws:userid"] = $"{role.Id}:{sessionName}", ["aws:PrincipalArn"] = role.Arn, ["aws:PrincipalAccount"] = role.Account.Value },
    };
}
