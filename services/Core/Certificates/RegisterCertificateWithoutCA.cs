using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Certificates;

/// <summary>Registers a certificate whatever its issuer, in SNI_ONLY mode: several accounts may register the same one.</summary>
[Operation<Iot>("POST /certificate/register-no-ca")]
sealed class RegisterCertificateWithoutCA(CertificateStore certificates, TimeProvider clock)
    : Operation<RegisterCertificateWithoutCARequest, RegisterCertificateWithoutCAResponse>
{
    protected override Permission Needs(RegisterCertificateWithoutCARequest request, Caller caller) => new("iot:RegisterCertificateWithoutCA");

    protected override async ValueTask<RegisterCertificateWithoutCAResponse> Run(
        RegisterCertificateWithoutCARequest request, Caller caller, CancellationToken cancel)
    {
        using var parsed = X509.Parse(request.CertificatePem, "certificatePem");
        var status = request.Status is { } text ? CertificateStore.ParseStatus(text, "status") : CertificateStatus.INACTIVE;
        var certificate = certificates.Describe(parsed, caller, status) with { SniOnly = true };
        if (certificate.NotAfter <= clock.GetUtcNow())
            throw Refuse.CertificateValidation($"The certificate expired at {certificate.NotAfter:u}.");
        await certificates.Register(new Batch(), certificate, caller, cancel);
        return new() { CertificateArn = CertificateStore.Arn(certificate.Id, caller), CertificateId = certificate.Id };
    }
}

sealed record RegisterCertificateWithoutCARequest
{
    [Length(1, 65536), Pattern(@"[\s\S]*")]
    public required string CertificatePem { get; init; }
    [OneOf("ACTIVE", "INACTIVE", "REVOKED", "PENDING_TRANSFER", "REGISTER_INACTIVE", "PENDING_ACTIVATION")]
    public string? Status { get; init; }
}

sealed record RegisterCertificateWithoutCAResponse
{
    public string? CertificateArn { get; init; }
    public string? CertificateId { get; init; }
}
