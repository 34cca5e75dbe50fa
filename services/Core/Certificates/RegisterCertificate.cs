using System.Security.Cryptography.X509Certificates;
using Althing.Api;
using Althing.Core.CaCertificates;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Storage;

namespace Althing.Core.Certificates;

/// <summary>
/// Registers a certificate signed by one of the account's active CAs, in the CA's mode. Certificates that the platform itself signed can be
/// registered again after their deletion.
/// </summary>
[Operation<Iot>("POST /certificate/register")]
sealed class RegisterCertificate(CertificateStore certificates, PlatformPki pki, CaStore authorities, TimeProvider clock)
    : Operation<RegisterCertificateRequest, RegisterCertificateResponse>
{
    protected override Permission Needs(RegisterCertificateRequest request, Caller caller) => new("iot:RegisterCertificate");

    protected override async ValueTask<RegisterCertificateResponse> Run(RegisterCertificateRequest request, Caller caller, CancellationToken cancel)
    {
        using var parsed = X509.Parse(request.CertificatePem, "certificatePem");
        var certificate = certificates.Describe(parsed, caller, StatusFor(request));
        if (certificate.NotAfter <= clock.GetUtcNow())
            throw Refuse.CertificateValidation($"The certificate expired at {certificate.NotAfter:u}.");
        var batch = new Batch();
        if (request.CaCertificatePem is not null || !X509.IsSignedBy(parsed, pki.Root))
        {
            var ca = await RequireSigner(parsed, request.CaCertificatePem, caller, cancel);
            // A CA deactivated or deleted in between makes the registration look again.
            batch.Require(CaCertificate.Table, ca);
            certificate = certificate with { CaCertificateId = ca.Value.Id, SniOnly = ca.Value.SniOnly };
        }
        await certificates.Register(batch, certificate, caller, cancel);
        return new() { CertificateArn = CertificateStore.Arn(certificate.Id, caller), CertificateId = certificate.Id };
    }

    static CertificateStatus StatusFor(RegisterCertificateRequest request)
    {
        var status = request.Status is { } text ? CertificateStore.ParseStatus(text, "status") : (CertificateStatus?)null;
        if (request.SetAsActive is true && status is not (null or CertificateStatus.ACTIVE))
            throw Refuse.InvalidRequest($"'setAsActive' and 'status' {status} contradict each other. Give 'status' alone.");
        return status ?? (request.SetAsActive is true ? CertificateStatus.ACTIVE : CertificateStatus.INACTIVE);
    }

    async ValueTask<Row<CaCertificate>> RequireSigner(X509Certificate2 certificate, string? caPem, Caller caller, CancellationToken cancel)
    {
        var signers = await authorities.Signers(caller.Account, certificate, cancel);
        if (caPem is not null)
        {
            using var named = X509.Parse(caPem, "caCertificatePem");
            var id = CertificateText.IdOf(named);
            return signers.FirstOrDefault(s => s.Value.Id == id) is { Value: not null } row
                ? row
                : throw Refuse.CertificateValidation("The certificate is not signed by the CA in 'caCertificatePem', or that CA is not registered and ACTIVE in this account.");
        }
        return signers.Count switch
        {
            1 => signers[0],
            0 => throw Refuse.CertificateValidation(
                "No CA that is registered and ACTIVE in this account signed the certificate. Register its CA, or use RegisterCertificateWithoutCA."),
            _ => throw Refuse.CertificateConflict(
                "More than one registered CA certificate has the same subject and public key. Say which one by 'caCertificatePem'."),
        };
    }
}

sealed record RegisterCertificateRequest
{
    [Length(1, 65536), Pattern(@"[\s\S]*")]
    public required string CertificatePem { get; init; }
    [Length(1, 65536), Pattern(@"[\s\S]*")]
    public string? CaCertificatePem { get; init; }
    [Query]
    public bool? SetAsActive { get; init; }
    [OneOf("ACTIVE", "INACTIVE", "REVOKED", "PENDING_TRANSFER", "REGISTER_INACTIVE", "PENDING_ACTIVATION")]
    public string? Status { get; init; }
}

sealed record RegisterCertificateResponse
{
    public string? CertificateArn { get; init; }
    public string? CertificateId { get; init; }
}
