using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Certificates;

/// <summary>Takes over a certificate that another account offered; it is INACTIVE unless <c>setAsActive</c> says otherwise.</summary>
[Operation<Iot>("PATCH /accept-certificate-transfer/{certificateId}")]
sealed class AcceptCertificateTransfer(IStore store, CertificateStore certificates, CertificateTransfers transfers, TimeProvider clock)
    : Operation<AcceptCertificateTransferRequest, EmptyResponse>
{
    protected override Permission Needs(AcceptCertificateTransferRequest request, Caller caller) =>
        new("iot:AcceptCertificateTransfer", CertificateStore.Arn(request.CertificateId.ToLowerInvariant(), caller));

    protected override async ValueTask<EmptyResponse> Run(AcceptCertificateTransferRequest request, Caller caller, CancellationToken cancel)
    {
        var (incoming, offered) = await transfers.RequireIncoming(caller.Account, request.CertificateId, cancel);
        var taken = certificates.Touch(incoming.Value) with
        {
            Status = request.SetAsActive is true ? CertificateStatus.ACTIVE : CertificateStatus.INACTIVE,
            Region = caller.Region,
            PreviousOwner = incoming.Value.PendingFrom,
            PendingFrom = null,
            Transfer = incoming.Value.Transfer! with { AcceptDate = clock.GetUtcNow() },
        };
        var batch = new Batch()
            .Replace(Certificate.Table, incoming, taken)
            .Delete(Certificate.Table, offered)
            .Delete(CertificateOwner.Table, AccountId.Platform, CertificateOwner.KeyOf(taken.Id, offered.Account, taken.SniOnly))
            .Put(CertificateOwner.Table, CertificateOwner.Of(taken));
        await store.Commit(batch, cancel);
        certificates.Tell(RegistryVerb.Deleted, offered.Value);
        certificates.Tell(RegistryVerb.Updated, taken);
        return EmptyResponse.Instance;
    }
}

sealed record AcceptCertificateTransferRequest
{
    [Label, Length(64, 64), Pattern(Names.CertificateId)]
    public required string CertificateId { get; init; }
    [Query]
    public bool? SetAsActive { get; init; }
}
