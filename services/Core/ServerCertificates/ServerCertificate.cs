using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Althing.Api;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Storage;

namespace Althing.Core.ServerCertificates;

/// <summary>A server certificate that was imported for a domain of the account's own.</summary>
sealed record ServerCertificate
{
    public static readonly Table<ServerCertificate> Table = new("server-certificates", c => (c.Account, c.Id));

    /// <summary>An account serves ten custom domains at most; some certificates more for the change from one to the next.</summary>
    public const int PerAccountMax = 100;

    const string KeyPurpose = "server-certificate-key";

    public required AccountId Account { get; init; }

    /// <summary>What the ARN ends in.</summary>
    public required string Id { get; init; }
    public required string Region { get; init; }

    /// <summary>The certificate itself, PEM.</summary>
    public required string Pem { get; init; }

    /// <summary>The authorities between it and the root, PEM, nearest first; empty for none.</summary>
    public required string ChainPem { get; init; }

    /// <summary>The private key, encrypted with the platform's master key: the listeners must use it.</summary>
    public required byte[] SealedKey { get; init; }
    public required DateTimeOffset ImportedAt { get; init; }
    public required DateTimeOffset NotBefore { get; init; }
    public required DateTimeOffset NotAfter { get; init; }

    public string Arn => $"arn:aws:acm:{Region}:{Account}:certificate/{Id}";

    public static byte[] SealKey(MasterKey master, string keyPem) => master.Seal(KeyPurpose, System.Text.Encoding.UTF8.GetBytes(keyPem));

    /// <summary>The certificate with its private key, ready to be shown to clients.</summary>
    /// <exception cref="CryptographicException">The key was sealed with another master key.</exception>
    public X509Certificate2 Open(MasterKey master)
    {
        var key = master.Open(KeyPurpose, SealedKey) ?? throw new CryptographicException($"The private key of {Arn} cannot be read: it was sealed with another master key. Import the certificate again.");
        return X509Certificate2.CreateFromPem(Pem, System.Text.Encoding.UTF8.GetString(key));
    }

    public X509Certificate2Collection Chain()
    {
        var chain = new X509Certificate2Collection();
        if (ChainPem.Length > 0)
            chain.ImportFromPem(ChainPem);
        return chain;
    }

    /// <summary>What keeps it from being served under the name, or null ("Certificate requirements").</summary>
    public string? WhyNotFor(string domainName, DateTimeOffset now)
    {
        const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
        using var certificate = X509Certificate2.CreateFromPem(Pem);
        if (now < NotBefore || now >= NotAfter)
            return $"it is valid from {NotBefore:u} to {NotAfter:u} only";
        if (!certificate.MatchesHostname(domainName, allowWildcards: true, allowCommonName: true))
            return $"it is not for '{domainName}'";
        var uses = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().SelectMany(e => e.EnhancedKeyUsages.Cast<Oid>());
        return uses.Any(u => u.Value == ServerAuthentication) ? null : "its extended key usage does not have serverAuth";
    }

    /// <summary>Whether an authority that this machine trusts vouches for it.</summary>
    public bool IsPubliclyTrusted()
    {
        using var certificate = X509Certificate2.CreateFromPem(Pem);
        using var chain = new X509Chain();
        chain.ChainPolicy.ExtraStore.AddRange(Chain());
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(certificate);
    }

    /// <exception cref="ServiceException">InvalidArnException, ResourceNotFoundException.</exception>
    public static async ValueTask<Row<ServerCertificate>> Require(IStore store, string text, AccountId account, CancellationToken cancel) =>
        await store.Get(Table, account, IdIn(text, account) ?? throw RefuseAcm.InvalidArn($"'{text}' is not the ARN of a certificate of account {account}."), cancel)
        ?? throw RefuseAcm.NotFound($"There is no certificate {text}. ListCertificates shows those there are.");

    /// <summary>The id in an ARN; null when it is none of this account's.</summary>
    public static string? IdIn(string text, AccountId account) =>
        Api.Arn.TryParse(text, out var arn) && arn.Service == "acm" && arn.Account == account.Value && arn.ResourceType == "certificate" ? arn.ResourceId : null;

    /// <summary>Every certificate of one PEM text.</summary>
    public static string Canonical(X509Certificate2Collection certificates) => string.Concat(certificates.Select(CertificateText.PemOf));
}
