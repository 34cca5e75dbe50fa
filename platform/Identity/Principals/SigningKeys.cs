using System.Globalization;
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
    const int CachedMax = 10_000;

    /// <summary>Longer than any token made here: a session policy has 2048 characters at most.</summary>
    const int TokenLengthMax = 16 * 1024;

    readonly KeyCache cache = new(CachedMax);

    /// <summary>The key, or why it cannot be used. Policies are those of now, for sessions too.</summary>
    public async ValueTask<(SigningKey? Key, KeyProblem Problem)> Find(string accessKeyId, string? sessionToken, string region, CancellationToken cancel)
    {
        if (cache.Find(accessKeyId) is not { } known || known.Key.SessionToken != sessionToken)
        {
            var generation = cache.Generation;
            var (loaded, problem) = sessionToken is null
                ? (await Load(accessKeyId, cancel), KeyProblem.Unknown)
                : await LoadSession(accessKeyId, sessionToken, cancel);
            if (loaded is null)
                return (null, problem);
            cache.Keep(known = loaded, generation);
        }
        return known.Expires <= time.GetUtcNow()
            ? (null, KeyProblem.ExpiredToken)
            : (known.Key with { Caller = known.Key.Caller with { Region = region }, Expires = known.Expires }, KeyProblem.None);
    }

    /// <summary>Forgets what is cached: called after any change of users, roles, keys or policies, so that it acts on the next request.</summary>
    public void Changed()
    {
        cache.Clear();
        Altered?.Invoke();
    }

    /// <summary>Something of users, roles, keys or policies is different now. Handlers must only note it.</summary>
    public event Action? Altered;

    internal int Cached => cache.Count;

    /// <summary>Makes an active key for a user. It works when it has been stored.</summary>
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
    /// <param name="PrincipalId">The role's or user's id, so that one made anew under the same name does not inherit sessions.</param>
    sealed record Session(
        string KeyId, string Secret, string Account, string? RoleName, string? UserName, string PrincipalId, string SessionName,
        DateTimeOffset Issued, DateTimeOffset Expires, string? Policy, IReadOnlyDictionary<string, string>? Context = null);

    /// <summary>Temporary credentials of a role.</summary>
    /// <param name="policy">A session policy, already checked, that must allow as well.</param>
    /// <param name="context">Further values for policy variables and conditions.</param>
    public (SigningKey Key, DateTimeOffset Expires) CreateSession(
        Role role, string sessionName, TimeSpan duration, string? policy, IReadOnlyDictionary<string, string>? context = null) =>
        Issue(new(PrincipalIds.TemporaryKey(), PrincipalIds.SecretKey().Value, role.Account.Value, role.Name, null, role.Id, sessionName, default, default, policy, context),
            duration, session => OfRole(role, session));

    /// <summary>Temporary credentials of a user, with all that the user may do.</summary>
    public (SigningKey Key, DateTimeOffset Expires) CreateSession(User user, TimeSpan duration) =>
        Issue(new(PrincipalIds.TemporaryKey(), PrincipalIds.SecretKey().Value, user.Account.Value, null, user.Name, user.Id, "", default, default, null),
            duration, session => OfUser(user, session.KeyId, session));

    (SigningKey, DateTimeOffset) Issue(Session plan, TimeSpan duration, Func<Session, Caller> caller)
    {
        // Whole seconds, because that is what the answer's times can say.
        var issued = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var session = plan with { Issued = issued, Expires = issued + duration };
        var token = Convert.ToBase64String(master.Seal(SessionPurpose, JsonSerializer.SerializeToUtf8Bytes(session)));
        return (new(session.KeyId, new(session.Secret), token, caller(session)), session.Expires);
    }

    async ValueTask<(KeyCache.Entry?, KeyProblem)> LoadSession(string accessKeyId, string token, CancellationToken cancel)
    {
        if (OpenToken(token) is not { } session || session.KeyId != accessKeyId)
            return (null, KeyProblem.InvalidToken);
        if (session.Expires <= time.GetUtcNow())
            return (null, KeyProblem.ExpiredToken);
        var account = new AccountId(session.Account);
        Caller? caller = null;
        if (session.RoleName is { } roleName)
        {
            if (await store.Get(Role.Table, account, Role.KeyOf(roleName), cancel) is { Value: var role } && role.Id == session.PrincipalId)
                caller = OfRole(role, session);
        }
        else if (await store.Get(User.Table, account, User.KeyOf(session.UserName!), cancel) is { Value: var user } && user.Id == session.PrincipalId)
        {
            caller = OfUser(user, accessKeyId, session);
        }
        return caller is null
            ? (null, KeyProblem.InvalidToken)
            : (new(new(accessKeyId, new(session.Secret), token, caller), session.Expires), KeyProblem.None);
    }

    Session? OpenToken(string token)
    {
        if (token.Length > TokenLengthMax)
            return null;
        var bytes = new byte[token.Length];
        return Convert.TryFromBase64String(token, bytes, out var length) && master.Open(SessionPurpose, bytes.AsSpan(0, length)) is { } plain
            ? JsonSerializer.Deserialize<Session>(plain)
            : null;
    }

    async ValueTask<KeyCache.Entry?> Load(string accessKeyId, CancellationToken cancel)
    {
        if (await store.Get(AccessKey.Table, AccountId.Platform, accessKeyId, cancel) is not { Value: { Active: true } key }
            || SecretOf(key) is not { } secret
            || await store.Get(User.Table, key.Account, User.KeyOf(key.UserName), cancel) is not { } user)
            return null;
        return new(new(accessKeyId, secret, null, OfUser(user.Value, accessKeyId, null)), null);
    }

    static Caller OfUser(User user, string accessKeyId, Session? session)
    {
        var context = ContextOf(user.Account, user.Arn, user.Id, "User", session);
        context["aws:username"] = user.Name;
        return new()
        {
            Account = user.Account,
            Arn = user.Arn,
            UserId = user.Id,
            Kind = CallerKind.User,
            Region = "us-east-1",
            Policies = [.. user.Policies.Values.Select(p => PolicyDocument.Parse(p))],
            AccessKeyId = accessKeyId,
            Context = context,
        };
    }

    static Caller OfRole(Role role, Session session) => new()
    {
        Account = role.Account,
        Arn = $"arn:aws:sts::{role.Account}:assumed-role/{role.Name}/{session.SessionName}",
        UserId = $"{role.Id}:{session.SessionName}",
        Kind = CallerKind.AssumedRole,
        Region = "us-east-1",
        Policies = [.. role.Policies.Values.Select(p => PolicyDocument.Parse(p))],
        Boundary = session.Policy is { } policy ? PolicyDocument.Parse(policy) : null,
        AccessKeyId = session.KeyId,
        Context = ContextOf(role.Account, role.Arn, $"{role.Id}:{session.SessionName}", "AssumedRole", session),
    };

    /// <remarks>"AWS global condition context keys" (IAM User Guide): TokenIssueTime is there for temporary credentials only.</remarks>
    static Dictionary<string, string> ContextOf(AccountId account, string principalArn, string userId, string type, Session? session)
    {
        Dictionary<string, string> context = new(StringComparer.OrdinalIgnoreCase)
        {
            ["aws:userid"] = userId,
            ["aws:PrincipalArn"] = principalArn,
            ["aws:PrincipalAccount"] = account.Value,
            ["aws:PrincipalType"] = type,
        };
        if (session is not null)
            context[Caller.TokenIssueTime] = session.Issued.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        foreach (var (name, value) in session?.Context ?? new Dictionary<string, string>())
            context[name] = value;
        return context;
    }
}
