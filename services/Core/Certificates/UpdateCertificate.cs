using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Certificates;

/// <summary>
/// Activates, deactivates or revokes a certificate. A certificate that stops being ACTIVE loses its connections; a revoked one stays
/// revoked ("Revoke a client certificate").
/// </summary>
[Operation<Iot>("PUT /certificates/{certificateId}")]
sealed class UpdateCertificate(IStore store, CertificateStore certificates) : Operation<UpdateCertificateRequest, EmptyResponse>
{
    protected override Permission Needs(UpdateCertificateRequest request, Caller caller) =>
        new("iot:UpdateCertificate", CertificateStore.Arn(request.CertificateId.ToLowerInvariant(), caller));

    protected override void Check(UpdateCertificateRequest request) => CertificateStore.ParseStatus(request.NewStatus, "newStatus");

    protected override async ValueTask<EmptyResponse> Run(UpdateCertificateRequest request, Caller caller, CancellationToken cancel)
    {
        var status = CertificateStore.ParseStatus(request.NewStatus, "newStatus");
        var row = await certificates.Require(caller.Account, request.CertificateId, cancel);
        switch (row.Value.Status)
        {
            case var same when same == status:
                return EmptyResponse.Instance;
            case CertificateStatus.REVOKED:
                throw Refuse.CertificateState($"Certificate {row.Value.Id} is revoked and cannot become {status}. Issue another one.");
            case CertificateStatus.PENDING_TRANSFER:
                throw Refuse.CertificateState($"Certificate {row.Value.Id} is being transferred; accept, reject or cancel the transfer first.");
        }
        var changed = certificates.Touch(row.Value) with { Status = status };
        await store.Commit(new Batch().Replace(Certificate.Table, row, changed), cancel);
        certificates.Tell(RegistryVerb.Updated, changed);
        return EmptyResponse.Instance;
    }
}

sealed record UpdateCertificateRequest
{
    [Label, Length(64, 64), Pattern(Names.CertificateId)]
    public required string CertificateId { get; init; }
    [Query, OneOf("ACTIVE", "INACTIVE", "REVOKED", "PENDING_TRANSFER", "REGISTER_INACTIVE", "PENDING_ACTIVATION")]
    public required string NewStatus { get; init; }
}
