using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Althing.Api;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Storage;

namespace Althing.Core.Certificates;

/// <summary>Issues a certificate for a key that the device keeps to itself. Each call makes another certificate.</summary>
[Operation<Iot>("POST /certificates")]
sealed class CreateCertificateFromCsr(CertificateStore certificates, PlatformPki pki)
    : Operation<CreateCertificateFromCsrRequest, CreateCertificateFromCsrResponse>
{
    protected override Permission Needs(CreateCertificateFromCsrRequest request, Caller caller) => new("iot:CreateCertificateFromCsr");

    protected override async ValueTask<CreateCertificateFromCsrResponse> Run(
        CreateCertificateFromCsrRequest request, Caller caller, CancellationToken cancel)
    {
        using var issued = Issue(request.CertificateSigningRequest);
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

    X509Certificate2 Issue(string requestPem)
    {
        try
        {
            return pki.IssueDevice(requestPem);
        }
        catch (CryptographicException refusal)
        {
            throw Refuse.InvalidRequest($"'certificateSigningRequest' is not accepted: {refusal.Message}");
        }
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
