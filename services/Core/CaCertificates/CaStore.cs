using System.Security.Cryptography.X509Certificates;
using Althing.Core.Certificates;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.CaCertificates;

/// <summary>What several operations ask of CA certificates.</summary>
sealed class CaStore(IStore store, RegistryChanges changes, TimeProvider clock)
{
    /// <summary>As many CAs of one name as <see cref="CaCertificate.SameSubjectMax"/> accounts of the platform may share.</summary>
    const int CandidatesMax = 100;

    public static string Arn(string id, Caller caller) => caller.ArnOf("iot", "cacert/" + id);

    /// <summary>What the CA's tags are kept under.</summary>
    public static string TagKey(string id) => "iot:cacert/" + id;

    /// <exception cref="Api.ServiceException">ResourceNotFoundException.</exception>
    public async ValueTask<Row<CaCertificate>> Require(AccountId account, string certificateId, CancellationToken cancel) =>
        await store.Get(CaCertificate.Table, account, certificateId.ToLowerInvariant(), cancel)
        ?? throw Refuse.ResourceNotFound($"There is no CA certificate {certificateId} in this account. ListCACertificates shows those there are.");

    public ValueTask<Row<CaCertificate>?> Find(AccountId account, string certificateId, CancellationToken cancel) =>
        store.Get(CaCertificate.Table, account, certificateId, cancel);

    /// <summary>The account's active CAs that signed this certificate.</summary>
    public async ValueTask<IReadOnlyList<Row<CaCertificate>>> Signers(AccountId account, X509Certificate2 certificate, CancellationToken cancel)
    {
        var named = await store.Scan(CaCertificate.Table, account, Scan.By("subject", X509.NameHash(certificate.IssuerName)), cancel);
        return [.. named.Where(ca => ca.Value.Active && Signed(ca.Value, certificate))];
    }

    /// <summary>The first account's active CA with automatic registration that signed this certificate.</summary>
    /// <param name="account">The account that the TLS server name means; null for any.</param>
    public async ValueTask<Row<CaCertificate>?> FindRegistering(X509Certificate2 certificate, AccountId? account, CancellationToken cancel)
    {
        var hash = X509.NameHash(certificate.IssuerName);
        var owners = await store.Scan(CaOwner.Table, AccountId.Platform, Scan.Under(Key.Prefix(hash)) with { Limit = CandidatesMax }, cancel);
        foreach (var owner in owners)
        {
            if (account is { } asked && owner.Value.Owner != asked)
                continue;
            var row = await store.Get(CaCertificate.Table, owner.Value.Owner, owner.Value.CaCertificateId, cancel);
            if (row?.Value is { Active: true, AutoRegistration: true } ca && Signed(ca, certificate))
                return row;
        }
        return null;
    }

    public CaCertificate Touch(CaCertificate ca) =>
        ca with { CustomerVersion = ca.CustomerVersion + 1, LastModifiedAt = clock.GetUtcNow() };

    public void Tell(RegistryVerb verb, CaCertificate ca) =>
        changes.Publish(new(RegistryResource.CaCertificate, verb, ca.Account, ca.Id) { Detail = ca });

    static bool Signed(CaCertificate ca, X509Certificate2 certificate)
    {
        using var authority = X509Certificate2.CreateFromPem(ca.Pem);
        return X509.IsSignedBy(certificate, authority);
    }
}
