using Althing.Api;
using Althing.Identity;

namespace Althing.Core.Certificates;

/// <summary>Declines an offered certificate: its owner has it back, INACTIVE, and sees why.</summary>
[Operation<Iot>("PATCH /reject-certificate-transfer/{certificateId}")]
sealed class RejectCertificateTransfer(CertificateTransfers transfers, TimeProvider clock)
    : Operation<RejectCertificateTransferRequest, EmptyResponse>
{
    protected override Permission Needs(RejectCertificateTransferRequest request, Caller caller) =>
        new("iot:RejectCertificateTransfer", CertificateStore.Arn(request.CertificateId.ToLowerInvariant(), caller));

    protected override async ValueTask<EmptyResponse> Run(RejectCertificateTransferRequest request, Caller caller, CancellationToken cancel)
    {
        var (incoming, offered) = await transfers.RequireIncoming(caller.Account, request.CertificateId, cancel);
        var ended = incoming.Value.Transfer! with { RejectDate = clock.GetUtcNow(), RejectReason = request.RejectReason };
        await transfers.GiveBack(incoming, offered, ended, cancel);
        return EmptyResponse.Instance;
    }
}

sealed record RejectCertificateTransferRequest
{
    [Label, Length(64, 64), Pattern(Names.CertificateId)]
    public required string CertificateId { get; init; }
    [Length(0, 128), Pattern(@"[\s\S]*")]
    public string? RejectReason { get; init; }
}
