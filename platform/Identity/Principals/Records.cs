using Althing.Storage;

namespace Althing.Identity;

/// <summary>An account: the wall between owners.</summary>
public sealed record Account
{
    public static readonly Table<Account> Table = new("accounts", a => (AccountId.Platform, a.Id.Value));

    public required AccountId Id { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>An IAM user with inline policies.</summary>
public sealed record User
{
    public static readonly Table<User> Table = new("iam-users", u => (u.Account, KeyOf(u.Name)));

    /// <summary>Names that differ only in case are one key, as in IAM; whoever reads a row compares the name itself.</summary>
    public static string KeyOf(string name) => name.ToLowerInvariant();

    public required AccountId Account { get; init; }
    public required string Name { get; init; }

    /// <summary><c>AIDA</c> and sixteen characters.</summary>
    public required string Id { get; init; }
    public string Path { get; init; } = "/";
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Inline policies by name.</summary>
    public IReadOnlyDictionary<string, string> Policies { get; init; } = new Dictionary<string, string>();

    public string Arn => $"arn:aws:iam::{Account}:user{Path}{Name}";
}

/// <summary>A long-lived key of a user. Kept under the platform, because a request names only the key.</summary>
public sealed record AccessKey
{
    public static readonly Table<AccessKey> Table = new("access-keys", k => (AccountId.Platform, k.Id),
        Index<AccessKey>.On("user", k => Key.Of(k.Account.Value, k.UserName)));

    /// <summary><c>AKIA</c> and sixteen characters.</summary>
    public required string Id { get; init; }
    public required AccountId Account { get; init; }
    public required string UserName { get; init; }

    /// <summary>The secret, encrypted with the platform's master key: a signature can only be checked with the secret itself.</summary>
    public required byte[] SealedSecret { get; init; }
    public required bool Active { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>An IAM role.</summary>
public sealed record Role
{
    public static readonly Table<Role> Table = new("iam-roles", r => (r.Account, KeyOf(r.Name)));

    /// <summary>Names that differ only in case are one key, as in IAM; whoever reads a row compares the name itself.</summary>
    public static string KeyOf(string name) => name.ToLowerInvariant();

    public required AccountId Account { get; init; }
    public required string Name { get; init; }

    /// <summary><c>AROA</c> and sixteen characters.</summary>
    public required string Id { get; init; }
    public string Path { get; init; } = "/";
    public required DateTimeOffset CreatedAt { get; init; }
    public required string TrustPolicy { get; init; }
    public string? Description { get; init; }

    /// <summary>How long a session of the role may last: 1 to 12 hours.</summary>
    public TimeSpan SessionMax { get; init; } = TimeSpan.FromHours(1);
    public IReadOnlyDictionary<string, string> Policies { get; init; } = new Dictionary<string, string>();

    public string Arn => $"arn:aws:iam::{Account}:role{Path}{Name}";
}
