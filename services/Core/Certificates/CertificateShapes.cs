using Althing.Identity;

namespace Althing.Core.Certificates;

/// <summary>How listings show a certificate; the model calls it Certificate.</summary>
sealed record CertificateSummary
{
    public string? CertificateArn { get; init; }
    public string? CertificateId { get; init; }
    public string? Status { get; init; }
    public string? CertificateMode { get; init; }
    public DateTimeOffset? CreationDate { get; init; }

    public static CertificateSummary Of(Certificate certificate, Caller caller) => new()
    {
        CertificateArn = CertificateStore.Arn(certificate.Id, caller),
        CertificateId = certificate.Id,
        Status = certificate.Status.ToString(),
        CertificateMode = CertificateStore.Mode(certificate.SniOnly),
        CreationDate = certificate.CreatedAt,
    };
}

sealed record CertificateValidity
{
    public DateTimeOffset? NotBefore { get; init; }
    public DateTimeOffset? NotAfter { get; init; }
}
