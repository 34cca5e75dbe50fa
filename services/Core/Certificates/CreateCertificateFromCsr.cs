using Althing.Api;
using Althing.Core.Provisioning;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Certificates;

/// <summary>Issues a certificate for a key that the device keeps to itself. Each call makes another certificate.</summary>
[Operation<Iot>("POST /certificates")]
sealed class CreateCertificateFromCsr(CertificateStore certificates, DeviceIssuer issuer)
    : Operation<CreateCertificateFromCsrRequest, CreateCertificateFromCsrResponse>
{
    protected override Permission Needs(CreateCertificateFromCsrRequest request, Caller caller) => new("iot:CreateCertificateFromCsr");

    protected override async ValueTask<CreateCertificateFromCsrResponse> Run(
        CreateCertificateFromCsrRequest request, Caller caller, CancellationToken cancel)
    {
        using var issued = await issuer.Issue(caller.Account, request.CertificateSigningRequest, "certificateSigningRequest", caller.UserId, null, cancel);
        var certificate = certificates.Describe(
            issued, caller, request.SetAsActive is true ? CertificateStatus.ACTIVE : CertificateStatus.INACTIVE);
        await certificates.Register(new Batch(), certificate, caller, cancel);
        return new()
        {
            CertificateArn = CertificateStore.Arn(certificate.Id, caller),
            CertificateId = certificate.Id,
            CertificatePem = certificate.Pem,
        };
    }
}

sealed record CreateCertificateFromCsrRequest
{
    [Length(1, 4096), Pattern(@"[\s\S]*")]
    public required string CertificateSigningRequest { get; init; }
    [Query]
    public bool? SetAsActive { get; init; }
}

sealed record CreateCertificateFromCsrResponse
{
    public string? CertificateArn { get; init; }
    public string? CertificateId { get; init; }
    public string? CertificatePem { get; init; }
}
