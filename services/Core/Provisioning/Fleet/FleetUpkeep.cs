using Althing.Core.Certificates;
using Althing.Core.Policies;
using Althing.Core.Principals;
using Althing.Storage;

namespace Althing.Core.Provisioning.Fleet;

/// <summary>
/// Takes away what was never used: certificates that were not provisioned before their token expired, and temporary ones that are over.
/// </summary>
sealed class FleetUpkeep(IStore store, CertificateStore certificates, PolicyTargets targets, TimeProvider clock)
{
    public async Task Sweep(CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        await foreach (var row in store.ScanAll(OwnershipToken.Table, cancel))
        {
            if (row.Value.ExpiresAt <= now)
                await Drop(row.Account, row.Value.CertificateId, CertificateStatus.PENDING_ACTIVATION, new Batch().Delete(OwnershipToken.Table, row), cancel);
        }
        await foreach (var row in store.ScanAll(ProvisioningClaim.Table, cancel))
        {
            if (row.Value.ExpiresAt <= now)
                await Drop(row.Account, row.Value.CertificateId, CertificateStatus.ACTIVE, new Batch().Delete(ProvisioningClaim.Table, row), cancel);
        }
    }

    /// <summary>Deletes a certificate that still has this status and is attached to nothing, together with what the batch has.</summary>
    async Task Drop(AccountId account, string id, CertificateStatus status, Batch batch, CancellationToken cancel)
    {
        Certificate? dropped = null;
        if (await store.Get(Certificate.Table, account, id, cancel) is { } row && row.Value.Status == status
            && !await certificates.HasThings(row.Value, cancel)
            && (await targets.OfTarget(account, PrincipalRef.OfCertificate(id), cancel)).Count == 0)
        {
            dropped = row.Value;
            batch.Delete(Certificate.Table, row)
                .Delete(CertificateOwner.Table, AccountId.Platform, CertificateOwner.KeyOf(id, account, row.Value.SniOnly));
        }
        try
        {
            await store.Commit(batch, cancel);
        }
        catch (StorageConflictException)
        {
            // Somebody uses it at this very moment; the next round looks again.
            return;
        }
        if (dropped is not null)
            certificates.Tell(RegistryVerb.Deleted, dropped);
    }
}
