using Althing.Storage;

namespace Althing.Core.CaCertificates;

/// <summary>A CA whose device certificates an account takes.</summary>
sealed record CaCertificate
{
    public static readonly Table<CaCertificate> Table = new("ca-certificates", c => (c.Account, c.Id),
        Index<CaCertificate>.On("created", c => $"{c.CreatedAt.ToUnixTimeMilliseconds():D15}"),
        Index<CaCertificate>.On("subject", c => c.SubjectHash),
        Index<CaCertificate>.On("template", c => c.RegistrationConfig?.TemplateName is { } template
            ? Storage.Key.Of(template, $"{c.CreatedAt.ToUnixTimeMilliseconds():D15}") : null));

    /// <summary>Service quota "CA certificates with the same subject field allowed per AWS account per Region".</summary>
    public const int SameSubjectMax = 10;

    public required AccountId Account { get; init; }

    /// <summary>SHA-256 of the certificate's DER, lower-case hexadecimal.</summary>
    public required string Id { get; init; }
    public required string Region { get; init; }
    public required string Pem { get; init; }

    /// <summary>An inactive CA takes no new device certificates; those registered before go on working.</summary>
    public required bool Active { get; init; }

    /// <summary>Whether a device's first connection registers its certificate.</summary>
    public required bool AutoRegistration { get; init; }
    public required bool SniOnly { get; init; }
    public required string SubjectHash { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset LastModifiedAt { get; init; }
    public required DateTimeOffset NotBefore { get; init; }
    public required DateTimeOffset NotAfter { get; init; }
    public required string GenerationId { get; init; }
    public int CustomerVersion { get; init; } = 1;
    public RegistrationConfig? RegistrationConfig { get; init; }
}

/// <summary>Which account registered a CA: what an unknown device certificate's issuer is looked up in.</summary>
sealed record CaOwner
{
    // A CA in DEFAULT mode has one owner on the whole platform, so its key leaves the owner out: a second one conflicts.
    public static readonly Table<CaOwner> Table = new("ca-owners",
        o => (AccountId.Platform, KeyOf(o.SubjectHash, o.CaCertificateId, o.Owner, o.SniOnly)));

    public required string SubjectHash { get; init; }
    public required string CaCertificateId { get; init; }
    public required AccountId Owner { get; init; }
    public required bool SniOnly { get; init; }

    public static string KeyOf(string subjectHash, string id, AccountId owner, bool sniOnly) => Key.Of(subjectHash, id, sniOnly ? owner.Value : "");

    public static string KeyOf(CaCertificate ca) => KeyOf(ca.SubjectHash, ca.Id, ca.Account, ca.SniOnly);

    public static CaOwner Of(CaCertificate ca) =>
        new() { SubjectHash = ca.SubjectHash, CaCertificateId = ca.Id, Owner = ca.Account, SniOnly = ca.SniOnly };
}

/// <summary>The code that a verification certificate bears as its common name, to prove that the account holds the CA's key.</summary>
sealed record RegistrationCode
{
    public static readonly Table<RegistrationCode> Table = new("registration-codes", c => (c.Account, Key));

    /// <summary>An account has one.</summary>
    public const string Key = "code";

    public required AccountId Account { get; init; }

    /// <summary>64 hexadecimal digits.</summary>
    public required string Code { get; init; }
}
