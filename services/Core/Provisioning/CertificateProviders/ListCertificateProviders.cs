using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Provisioning;

[Operation<Iot>("GET /certificate-providers/")]
sealed class ListCertificateProviders(Listing listing) : Operation<ListCertificateProvidersRequest, ListCertificateProvidersResponse>
{
    protected override Permission Needs(ListCertificateProvidersRequest request, Caller caller) => new("iot:ListCertificateProviders");

    protected override async ValueTask<ListCertificateProvidersResponse> Run(ListCertificateProvidersRequest request, Caller caller, CancellationToken cancel)
    {
        var scan = new Scan { Index = "created", Descending = request.AscendingOrder is not true };
        var page = await listing.Read(CertificateProvider.Table, caller, $"ListCertificateProviders {scan.Descending}", scan, request.NextToken, null, cancel);
        return new()
        {
            CertificateProviders = [.. page.Items.Select(p => new CertificateProviderSummary
            {
                CertificateProviderName = p.Name,
                CertificateProviderArn = CertificateProvider.Arn(p.Name, caller),
            })],
            NextToken = page.Next,
        };
    }
}

sealed record ListCertificateProvidersRequest
{
    [Query, Length(0, 1024), Pattern(@"[A-Za-z0-9+/]+={0,2}")]
    public string? NextToken { get; init; }
    [Query("isAscendingOrder")]
    public bool? AscendingOrder { get; init; }
}

sealed record ListCertificateProvidersResponse
{
    public IReadOnlyList<CertificateProviderSummary>? CertificateProviders { get; init; }
    public string? NextToken { get; init; }
}

sealed record CertificateProviderSummary
{
    public string? CertificateProviderName { get; init; }
    public string? CertificateProviderArn { get; init; }
}
