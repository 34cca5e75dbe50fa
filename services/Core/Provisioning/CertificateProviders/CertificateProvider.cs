using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning;

/// <summary>A function of the account's own that issues its devices' certificates ("Self-managed certificate signing using certificate providers").</summary>
sealed record CertificateProvider
{
    public static readonly Table<CertificateProvider> Table = new("certificate-providers", p => (p.Account, p.Name),
        Index<CertificateProvider>.On("created", p => $"{p.CreatedAt.ToUnixTimeMilliseconds():D15}"));

    /// <summary>An account has one, because there is one operation that it can be the default for.</summary>
    public const int PerAccountMax = 1;

    public required AccountId Account { get; init; }
    public required string Name { get; init; }

    /// <summary>The ARN of a function, or the address of one that is called over HTTPS.</summary>
    public required string Function { get; init; }
    public required IReadOnlyList<string> Operations { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset LastModifiedAt { get; init; }

    public static string Arn(string name, Caller caller) => caller.ArnOf("iot", "certificateprovider/" + name);

    /// <summary>What the provider's tags are kept under.</summary>
    public static string TagKey(string name) => "iot:certificateprovider/" + name;

    /// <exception cref="Api.ServiceException">ResourceNotFoundException.</exception>
    public static async ValueTask<Row<CertificateProvider>> Require(IStore store, AccountId account, string name, CancellationToken cancel) =>
        await store.Get(Table, account, name, cancel)
        ?? throw Refuse.ResourceNotFound($"There is no certificate provider '{name}'. ListCertificateProviders shows those there are.");
}
