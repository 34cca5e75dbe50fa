using Althing.Api;
using Althing.Identity;

namespace Althing.Core.Certificates;

/// <summary>Withdraws an offered certificate before it was accepted: it is INACTIVE again.</summary>
[Operation<Iot>("PATCH /cancel-certificate-transfer/{certificateId}")]
sealed class CancelCertificateTransfer(CertificateStore certificates, CertificateTransfers transfers)
    : Operation<CancelCertificateTransferRequest, EmptyResponse>
{
    protected override Permission Needs(CancelCertificateTransferRequest request, Caller caller) =>
        new("iot:CancelCertificateTransfer", CertificateStore.Arn(request.CertificateId.ToLowerInvariant(), caller));

    protected override async ValueTask<EmptyResponse> Run(CancelCertificateTransferRequest request, Caller caller, CancellationToken cancel)
    {
        var offered = await certificates.Require(caller.Account, request.CertificateId, cancel);
        if (offered.Value is not { Status: CertificateStatus.PENDING_TRANSFER, PendingFrom: null, Transfer: { } transfer })
            throw Refuse.TransferAlreadyCompleted($"Certificate {offered.Value.Id} has no pending transfer that this account offered.");
        var incoming = await certificates.Require(transfer.TransferredTo, request.CertificateId, cancel);
        await transfers.GiveBack(incoming, offered, null, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record CancelCertificateTransferRequest
{
    [Label, Length(64, 64), Pattern(Names.CertificateId)]
    public required string CertificateId { get; init; }
}
