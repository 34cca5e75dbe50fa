using Althing.Api;
using Althing.Core.Policies;
using Althing.Core.Principals;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Certificates;

/// <summary>
/// Deletes a certificate that is not ACTIVE and has no thing. With <c>forceDelete</c> policies may still be attached; they are detached.
/// </summary>
[Operation<Iot>("DELETE /certificates/{certificateId}")]
sealed class DeleteCertificate(IStore store, CertificateStore certificates, PolicyTargets targets, RegistryChanges changes)
    : Operation<DeleteCertificateRequest, EmptyResponse>
{
    protected override Permission Needs(DeleteCertificateRequest request, Caller caller) =>
        new("iot:DeleteCertificate", CertificateStore.Arn(request.CertificateId.ToLowerInvariant(), caller));

    protected override async ValueTask<EmptyResponse> Run(DeleteCertificateRequest request, Caller caller, CancellationToken cancel)
    {
        var row = await certificates.Require(caller.Account, request.CertificateId, cancel);
        var certificate = row.Value;
        if (certificate.Status == CertificateStatus.ACTIVE)
            throw Refuse.CertificateState($"Certificate {certificate.Id} must be deactivated before deletion: UpdateCertificate with newStatus INACTIVE.");
        if (certificate.Status == CertificateStatus.PENDING_TRANSFER)
            throw Refuse.CertificateState($"Certificate {certificate.Id} is being transferred; accept, reject or cancel the transfer first.");
        if (await certificates.HasThings(certificate, cancel))
            throw Refuse.DeleteConflict($"Things must be detached from certificate {certificate.Id} before deletion: ListPrincipalThings shows them.");
        var target = PrincipalRef.OfCertificate(certificate.Id);
        var attached = await targets.OfTarget(caller.Account, target, cancel);
        if (attached.Count > 0 && request.ForceDelete is not true)
        {
            throw Refuse.DeleteConflict(
                $"Certificate policies must be detached before deletion: certificate {certificate.Id} has {attached.Count}. Detach them, or give forceDelete.");
        }
        // Attachments write the certificate's row again, so one that came in between makes this batch conflict.
        var batch = new Batch()
            .Delete(Certificate.Table, row)
            .Delete(CertificateOwner.Table, AccountId.Platform, CertificateOwner.KeyOf(certificate.Id, certificate.Account, certificate.SniOnly));
        foreach (var attachment in attached)
            batch.Delete(PolicyAttachment.Table, attachment);
        await store.Commit(batch, cancel);
        certificates.Tell(RegistryVerb.Deleted, certificate);
        foreach (var attachment in attached)
            changes.Publish(new(RegistryResource.PolicyAttachment, RegistryVerb.Deleted, caller.Account, attachment.Value.PolicyName, target));
        return EmptyResponse.Instance;
    }
}

sealed record DeleteCertificateRequest
{
    [Label, Length(64, 64), Pattern(Names.CertificateId)]
    public required string CertificateId { get; init; }
    [Query]
    public bool? ForceDelete { get; init; }
}
