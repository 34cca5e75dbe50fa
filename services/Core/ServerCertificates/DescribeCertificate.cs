using System.Security.Cryptography.X509Certificates;
using Althing.Api;
using Althing.Core.DomainConfigurations;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Storage;

namespace Althing.Core.ServerCertificates;

[Operation<Acm>(ReadOnly = true)]
sealed class DescribeCertificate(IStore store, TimeProvider clock) : Operation<DescribeCertificateRequest, DescribeCertificateResponse>
{
    protected override Permission Needs(DescribeCertificateRequest request, Caller caller) => new("acm:DescribeCertificate", request.CertificateArn);

    protected override async ValueTask<DescribeCertificateResponse> Run(DescribeCertificateRequest request, Caller caller, CancellationToken cancel)
    {
        var row = (await ServerCertificate.Require(store, request.CertificateArn, caller.Account, cancel)).Value;
        var users = await DomainConfiguration.UsersOf(store, row, cancel);
        using var certificate = X509Certificate2.CreateFromPem(row.Pem);
        return new()
        {
            Certificate = new()
            {
                CertificateArn = row.Arn,
                DomainName = CertificateNames.First(certificate),
                SubjectAlternativeNames = CertificateNames.All(certificate),
                Serial = string.Join(':', certificate.SerialNumber.ToLowerInvariant().Chunk(2).Select(c => new string(c))),
                Subject = certificate.Subject,
                Issuer = CertificateText.NamesIn(certificate.IssuerName, "2.5.4.3") is [var issuer, ..] ? issuer : certificate.Issuer,
                ImportedAt = row.ImportedAt,
                Status = row.NotAfter > clock.GetUtcNow() ? "ISSUED" : "EXPIRED",
                NotBefore = row.NotBefore,
                NotAfter = row.NotAfter,
                Type = "IMPORTED",
                InUseBy = [.. users.Select(d => d.Arn(caller))],
                RenewalEligibility = "INELIGIBLE",
            },
        };
    }
}

/// <summary>The names that a server certificate is for.</summary>
static class CertificateNames
{
    public static IReadOnlyList<string> All(X509Certificate2 certificate) =>
        [.. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(e => e.EnumerateDnsNames())];

    public static string First(X509Certificate2 certificate) =>
        CertificateText.NamesIn(certificate.SubjectName, "2.5.4.3") is [var common, ..] ? common : All(certificate) is [var name, ..] ? name : "";
}

sealed record DescribeCertificateRequest
{
    [Length(20, 2048)]
    public required string CertificateArn { get; init; }
}

sealed record DescribeCertificateResponse
{
    public CertificateDetail? Certificate { get; init; }
}

sealed record CertificateDetail
{
    public string? CertificateArn { get; init; }
    public string? DomainName { get; init; }
    public IReadOnlyList<string>? SubjectAlternativeNames { get; init; }
    public string? Serial { get; init; }
    public string? Subject { get; init; }
    public string? Issuer { get; init; }
    public DateTimeOffset? ImportedAt { get; init; }
    public string? Status { get; init; }
    public DateTimeOffset? NotBefore { get; init; }
    public DateTimeOffset? NotAfter { get; init; }
    public IReadOnlyList<string>? InUseBy { get; init; }
    public string? Type { get; init; }
    public string? RenewalEligibility { get; init; }
}
