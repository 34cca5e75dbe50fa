using Althing.Api;
using Althing.Core.Policies;
using Althing.Core.Principals;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Certificates;

/// <summary>
/// Offers a certificate to another account ("Transfer a certificate to another account"). It must be INACTIVE and have no policies and
/// things. Until the other account accepts, both see it as PENDING_TRANSFER.
/// </summary>
[Operation<Iot>("PATCH /transfer-certificate/{certificateId}")]
sealed class TransferCertificate(IStore store, CertificateStore certificates, PolicyTargets targets, TimeProvider clock)
    : Operation<TransferCertificateRequest, TransferCertificateResponse>
{
    protected override Permission Needs(TransferCertificateRequest request, Caller caller) =>
        new("iot:TransferCertificate", CertificateStore.Arn(request.CertificateId.ToLowerInvariant(), caller));

    protected override async ValueTask<TransferCertificateResponse> Run(TransferCertificateRequest request, Caller caller, CancellationToken cancel)
    {
        var receiver = new AccountId(request.TargetAwsAccount);
        if (receiver == caller.Account)
            throw Refuse.InvalidRequest($"The certificate belongs to account {receiver} already.");
        var row = await certificates.Require(caller.Account, request.CertificateId, cancel);
        var certificate = row.Value;
        if (certificate.Status != CertificateStatus.INACTIVE)
            throw Refuse.CertificateState($"Certificate {certificate.Id} is {certificate.Status}; only an INACTIVE certificate can be transferred.");
        if ((await targets.OfTarget(caller.Account, PrincipalRef.OfCertificate(certificate.Id), cancel)).Count > 0)
            throw Refuse.TransferConflict($"Certificate {certificate.Id} still has policies attached. Detach them first.");
        if (await certificates.HasThings(certificate, cancel))
            throw Refuse.TransferConflict($"Certificate {certificate.Id} is still attached to things. Detach them first.");
        if (await store.Get(Certificate.Table, receiver, certificate.Id, cancel) is not null)
            throw Refuse.TransferConflict($"Account {receiver} cannot receive certificate {certificate.Id}.");
        var offered = certificates.Touch(certificate) with
        {
            Status = CertificateStatus.PENDING_TRANSFER,
            Transfer = new() { TransferredTo = receiver, TransferDate = clock.GetUtcNow(), Message = request.TransferMessage },
        };
        var incoming = offered with { Account = receiver, PendingFrom = caller.Account };
        await store.Commit(new Batch().Replace(Certificate.Table, row, offered).Add(Certificate.Table, incoming), cancel);
        certificates.Tell(RegistryVerb.Updated, offered);
        certificates.Tell(RegistryVerb.Created, incoming);
        return new() { TransferredCertificateArn = CertificateStore.Arn(certificate.Id, caller with { Account = receiver }) };
    }
}

sealed record TransferCertificateRequest
{
    [Label, Length(64, 64), Pattern(Names.CertificateId)]
    public required string CertificateId { get; init; }
    [Query, Length(12, 12), Pattern(Names.AccountId)]
    public required string TargetAwsAccount { get; init; }
    [Length(0, 128), Pattern(@"[\s\S]*")]
    public string? TransferMessage { get; init; }
}

sealed record TransferCertificateResponse
{
    public string? TransferredCertificateArn { get; init; }
}
