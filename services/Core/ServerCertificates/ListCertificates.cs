using System.Security.Cryptography.X509Certificates;
using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.ServerCertificates;

/// <summary>The account's server certificates.</summary>
[Operation<Acm>(ReadOnly = true)]
sealed class ListCertificates(IStore store, PageTokens tokens) : Operation<ListCertificatesRequest, ListCertificatesResponse>
{
    protected override Permission Needs(ListCertificatesRequest request, Caller caller) => new("acm:ListCertificates");

    protected override async ValueTask<ListCertificatesResponse> Run(ListCertificatesRequest request, Caller caller, CancellationToken cancel)
    {
        var size = request.MaxItems ?? ServerCertificate.PerAccountMax;
        var after = tokens.Open(caller, "acm ListCertificates", request.NextToken, RefuseAcm.Validation);
        var rows = await store.Scan(ServerCertificate.Table, caller.Account, new() { After = after, Limit = size + 1 }, cancel);
        return new()
        {
            CertificateSummaryList = [.. rows.Take(size).Select(r => Summary(r.Value))],
            NextToken = rows.Count > size ? tokens.Seal(caller, "acm ListCertificates", rows[size - 1].Cursor) : null,
        };
    }

    static CertificateSummary Summary(ServerCertificate row)
    {
        using var certificate = X509Certificate2.CreateFromPem(row.Pem);
        return new() { CertificateArn = row.Arn, DomainName = CertificateNames.First(certificate), Type = "IMPORTED", ImportedAt = row.ImportedAt, NotAfter = row.NotAfter };
    }
}

sealed record ListCertificatesRequest
{
    [Range(1, 1000)]
    public int? MaxItems { get; init; }
    [Length(1, 10000)]
    public string? NextToken { get; init; }
}

sealed record ListCertificatesResponse
{
    public IReadOnlyList<CertificateSummary>? CertificateSummaryList { get; init; }
    public string? NextToken { get; init; }
}

sealed record CertificateSummary
{
    public string? CertificateArn { get; init; }
    public string? DomainName { get; init; }
    public string? Type { get; init; }
    public DateTimeOffset? ImportedAt { get; init; }
    public DateTimeOffset? NotAfter { get; init; }
}
