using Althing.Storage;

namespace Althing.Core.DomainConfigurations;

/// <summary>A further name under which an account's devices may connect ("Configurable endpoints").</summary>
sealed record DomainConfiguration
{
    public static readonly Table<DomainConfiguration> Table = new("domain-configurations", d => (d.Account, d.Name));

    public required AccountId Account { get; init; }
    public required string Name { get; init; }

    /// <summary>The name that devices ask for, lower case.</summary>
    public required string DomainName { get; init; }
    public required bool Enabled { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset LastStatusChangeAt { get; init; }
}

/// <summary>Which account a domain name belongs to: what a TLS connection is looked up in.</summary>
sealed record DomainOwner
{
    public static readonly Table<DomainOwner> Table = new("domain-owners", o => (AccountId.Platform, o.DomainName));

    public required string DomainName { get; init; }
    public required AccountId Owner { get; init; }
    public required bool Enabled { get; init; }
}
