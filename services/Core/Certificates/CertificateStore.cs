using System.Security.Cryptography.X509Certificates;
using Althing.Core.Principals;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Storage;

namespace Althing.Core.Certificates;

/// <summary>What several operations ask of certificates.</summary>
sealed class CertificateStore(IStore store, RegistryChanges changes, TimeProvider clock)
{
    public static string Arn(string id, Caller caller) => caller.ArnOf("iot", "cert/" + id);

    public static string Mode(bool sniOnly) => sniOnly ? "SNI_ONLY" : "DEFAULT";

    /// <summary>The statuses that a client may give: the others are made by registration and transfer themselves.</summary>
    /// <exception cref="Api.ServiceException">InvalidRequestException.</exception>
    public static CertificateStatus ParseStatus(string status, string member) => Enum.Parse<CertificateStatus>(status) switch
    {
        CertificateStatus.ACTIVE or CertificateStatus.INACTIVE or CertificateStatus.REVOKED => Enum.Parse<CertificateStatus>(status),
        CertificateStatus.REGISTER_INACTIVE => throw Refuse.InvalidRequest($"'{member}' may no longer be REGISTER_INACTIVE; use INACTIVE."),
        _ => throw Refuse.InvalidRequest($"'{member}' may not be {status}, which only the platform sets. Use ACTIVE, INACTIVE or REVOKED."),
    };

    /// <exception cref="Api.ServiceException">ResourceNotFoundException.</exception>
    public async ValueTask<Row<Certificate>> Require(AccountId account, string certificateId, CancellationToken cancel) =>
        await store.Get(Certificate.Table, account, certificateId.ToLowerInvariant(), cancel)
        ?? throw Refuse.ResourceNotFound($"There is no certificate {certificateId} in this account. ListCertificates shows those there are.");

    /// <summary>The record of a certificate about to be registered.</summary>
    public Certificate Describe(X509Certificate2 certificate, Caller caller, CertificateStatus status) => new()
    {
        Account = caller.Account,
        Id = CertificateText.IdOf(certificate),
        Region = caller.Region,
        Pem = certificate.ExportCertificatePem() + "\n",
        Status = status,
        CreatedAt = clock.GetUtcNow(),
        LastModifiedAt = clock.GetUtcNow(),
        NotBefore = certificate.NotBefore.ToUniversalTime(),
        NotAfter = certificate.NotAfter.ToUniversalTime(),
        GenerationId = Guid.NewGuid().ToString(),
    };

    /// <summary>Writes a new certificate together with conditions that the decision was based on, and tells of it.</summary>
    /// <exception cref="Api.ServiceException">ResourceAlreadyExistsException.</exception>
    public async ValueTask Register(Batch batch, Certificate certificate, Caller caller, CancellationToken cancel)
    {
        if (await store.Get(Certificate.Table, certificate.Account, certificate.Id, cancel) is not null)
        {
            throw Refuse.ResourceAlreadyExists(
                "The certificate is already registered in this account.", certificate.Id, Arn(certificate.Id, caller));
        }
        var owner = CertificateOwner.Of(certificate);
        if (!certificate.SniOnly
            && await store.Get(CertificateOwner.Table, AccountId.Platform, CertificateOwner.KeyOf(owner.CertificateId, owner.Owner, false), cancel) is not null)
        {
            throw Refuse.ResourceAlreadyExists(
                "The certificate is already registered in another account. Register it without a CA (SNI_ONLY) to share it.", certificate.Id, null);
        }
        await store.Commit(batch.Add(Certificate.Table, certificate).Add(CertificateOwner.Table, owner), cancel);
        Tell(RegistryVerb.Created, certificate);
    }

    /// <summary>A certificate with a change, its version and time moved on.</summary>
    public Certificate Touch(Certificate certificate) =>
        certificate with { CustomerVersion = certificate.CustomerVersion + 1, LastModifiedAt = clock.GetUtcNow() };

    public async ValueTask<bool> HasThings(Certificate certificate, CancellationToken cancel) =>
        (await store.Scan(ThingPrincipal.Table, certificate.Account, Scan.By("principal", PrincipalRef.OfCertificate(certificate.Id)) with { Limit = 1 }, cancel)).Count > 0;

    public void Tell(RegistryVerb verb, Certificate certificate) =>
        changes.Publish(new(RegistryResource.Certificate, verb, certificate.Account, certificate.Id) { Detail = certificate });
}
