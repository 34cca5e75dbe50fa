using System.Security.Cryptography;
using Althing.Core.ServerCertificates;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.DomainConfigurations;

/// <summary>A further name under which an account's devices may connect ("Creating and configuring AWS-managed domains", "… custom domains").</summary>
sealed record DomainConfiguration
{
    public static readonly Table<DomainConfiguration> Table = new("domain-configurations", d => (d.Account, d.Name));

    /// <summary>Service quota "Maximum number of domain configurations per account per Region".</summary>
    public const int PerAccountMax = 10;

    /// <summary>"Managing domain configurations": AWS-managed domains must be disabled for so long before their deletion.</summary>
    public static readonly TimeSpan DisabledBeforeDeletion = TimeSpan.FromDays(7);

    public required AccountId Account { get; init; }
    public required string Name { get; init; }

    /// <summary>The name that devices ask for, lower case.</summary>
    public required string DomainName { get; init; }
    public required bool Enabled { get; init; }
    public AuthorizerConfig? AuthorizerConfig { get; init; }
    public string AuthenticationType { get; init; } = DomainRules.Default;
    public string ApplicationProtocol { get; init; } = DomainRules.Default;
    public string SecurityPolicy { get; init; } = SecurityPolicies.Usual;

    /// <summary>The certificate of a name of the account's own; null for a name under the platform's.</summary>
    public string? ServerCertificateArn { get; init; }
    public string? ValidationCertificateArn { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset LastStatusChangeAt { get; init; }

    /// <summary>What the ARN ends in, so that a configuration made anew under the same name is another resource.</summary>
    public required string Suffix { get; init; }

    /// <summary>Whether the name is the account's own.</summary>
    public bool IsCustom => ServerCertificateArn is not null;

    public string Arn(Caller caller) => caller.ArnOf("iot", $"domainconfiguration/{Name}/{Suffix}");

    /// <summary>The ARN that a permission is asked for: the suffix is not known before the row is read.</summary>
    public static string ArnOf(string name, Caller caller) => caller.ArnOf("iot", $"domainconfiguration/{name}/*");

    /// <summary>What the configuration's tags are kept under.</summary>
    public string TagKey => $"iot:domainconfiguration/{Name}/{Suffix}";

    /// <summary>A few characters that no other configuration has.</summary>
    public static string NewSuffix() => RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz0123456789", 14);

    /// <summary>The account's configurations that show this certificate or prove a name with it.</summary>
    public static async ValueTask<IReadOnlyList<DomainConfiguration>> UsersOf(IStore store, ServerCertificate certificate, CancellationToken cancel) =>
    [
        .. from row in await store.Scan(Table, certificate.Account, Scan.All, cancel)
           where row.Value.ServerCertificateArn == certificate.Arn || row.Value.ValidationCertificateArn == certificate.Arn
           select row.Value,
    ];

    /// <exception cref="Api.ServiceException">ResourceNotFoundException.</exception>
    public static async ValueTask<Row<DomainConfiguration>> Require(IStore store, AccountId account, string name, CancellationToken cancel) =>
        await store.Get(Table, account, name, cancel)
        ?? throw Refuse.ResourceNotFound($"There is no domain configuration '{name}'. ListDomainConfigurations shows those there are.");
}

/// <summary>Which account a domain name belongs to: what a TLS connection is looked up in.</summary>
sealed record DomainOwner
{
    public static readonly Table<DomainOwner> Table = new("domain-owners", o => (AccountId.Platform, o.DomainName));

    public required string DomainName { get; init; }
    public required AccountId Owner { get; init; }
    public required bool Enabled { get; init; }

    public static DomainOwner Of(DomainConfiguration configuration) =>
        new() { DomainName = configuration.DomainName, Owner = configuration.Account, Enabled = configuration.Enabled };
}
