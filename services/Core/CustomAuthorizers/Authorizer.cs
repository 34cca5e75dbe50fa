using System.Security.Cryptography;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.CustomAuthorizers;

/// <summary>A function of the account's own that says who a client is and what it may do ("Custom authentication and authorization").</summary>
sealed record Authorizer
{
    public static readonly Table<Authorizer> Table = new("authorizers", a => (a.Account, a.Name));

    /// <summary>Service quota "Maximum number of authorizers that can be registered to your AWS account".</summary>
    public const int PerAccountMax = 10;

    /// <summary>"Creating and managing custom authorizers": the shortest key that tokens may be signed with.</summary>
    const int KeyBitsMin = 2048;

    public required AccountId Account { get; init; }
    public required string Name { get; init; }

    /// <summary>The region that the ARNs in the function's policies are held against: the one it was created in.</summary>
    public required string Region { get; init; }

    /// <summary>The ARN of a function, or the address of one that is called over HTTPS.</summary>
    public required string Function { get; init; }
    public string? TokenKeyName { get; init; }

    /// <summary>PEM by name; a token must be signed with the private key of one of them.</summary>
    public IReadOnlyDictionary<string, string> TokenSigningPublicKeys { get; init; } = new Dictionary<string, string>();
    public bool SigningDisabled { get; init; }
    public bool EnableCachingForHttp { get; init; }
    public required bool Active { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset LastModifiedAt { get; init; }

    public static string Arn(string name, Caller caller) => caller.ArnOf("iot", "authorizer/" + name);

    /// <summary>What the authorizer's tags are kept under.</summary>
    public static string TagKey(string name) => "iot:authorizer/" + name;

    /// <exception cref="Api.ServiceException">ResourceNotFoundException.</exception>
    public static async ValueTask<Row<Authorizer>> Require(IStore store, AccountId account, string name, CancellationToken cancel) =>
        await store.Get(Table, account, name, cancel)
        ?? throw Refuse.ResourceNotFound($"There is no authorizer '{name}'. ListAuthorizers shows those there are.");

    /// <summary>What a token needs to be checked must be there, unless signing is disabled.</summary>
    /// <exception cref="Api.ServiceException">InvalidRequestException.</exception>
    public void CheckSigning()
    {
        foreach (var (name, pem) in TokenSigningPublicKeys)
            CheckKey(name, pem);
        if (!SigningDisabled && (TokenKeyName is null || TokenSigningPublicKeys.Count == 0))
            throw Refuse.InvalidRequest("Tokens are to be signed, so 'tokenKeyName' and at least one of 'tokenSigningPublicKeys' are needed; or set 'signingDisabled'.");
    }

    static void CheckKey(string name, string pem)
    {
        using var key = RSA.Create();
        try
        {
            key.ImportFromPem(pem);
        }
        catch (Exception refusal) when (refusal is ArgumentException or CryptographicException)
        {
            throw Refuse.InvalidRequest($"'tokenSigningPublicKeys' {name} is not an RSA public key in PEM (-----BEGIN PUBLIC KEY-----).");
        }
        if (key.KeySize < KeyBitsMin)
            throw Refuse.InvalidRequest($"'tokenSigningPublicKeys' {name} has {key.KeySize} bits; {KeyBitsMin} are needed.");
        if (pem.Contains("PRIVATE KEY", StringComparison.Ordinal))
            throw Refuse.InvalidRequest($"'tokenSigningPublicKeys' {name} is a private key. Keep it to yourself and give the public one.");
    }
}

/// <summary>The authorizer of clients that name none.</summary>
sealed record DefaultAuthorizer
{
    public static readonly Table<DefaultAuthorizer> Table = new("default-authorizers", d => (d.Account, Key));

    /// <summary>An account has one.</summary>
    public const string Key = "default";

    public required AccountId Account { get; init; }
    public required string Name { get; init; }
}
