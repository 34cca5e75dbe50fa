using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Certificates;

/// <summary>The certificates registered under one CA, in order of creation; empty for a CA that has none.</summary>
[Operation<Iot>("GET /certificates-by-ca/{caCertificateId}")]
sealed class ListCertificatesByCA(Listing listing) : Operation<ListCertificatesByCARequest, ListCertificatesByCAResponse>
{
    protected override Permission Needs(ListCertificatesByCARequest request, Caller caller) => new("iot:ListCertificatesByCA");

    protected override async ValueTask<ListCertificatesByCAResponse> Run(ListCertificatesByCARequest request, Caller caller, CancellationToken cancel)
    {
        var ca = request.CaCertificateId.ToLowerInvariant();
        var scan = new Scan { Index = "ca", Prefix = Key.Prefix(ca), Descending = request.AscendingOrder is not true };
        var page = await listing.Read(Certificate.Table, caller, $"ListCertificatesByCA {ca} {scan.Descending}", scan, request.Marker, request.PageSize, cancel);
        return new() { Certificates = [.. page.Items.Select(c => CertificateSummary.Of(c, caller))], NextMarker = page.Next };
    }
}

sealed record ListCertificatesByCARequest
{
    [Label, Length(64, 64), Pattern(Names.CertificateId)]
    public required string CaCertificateId { get; init; }
    [Query, Range(1, 250)]
    public int? PageSize { get; init; }
    [Query, Length(0, 1024), Pattern(@"[A-Za-z0-9+/]+={0,2}")]
    public string? Marker { get; init; }
    [Query("isAscendingOrder")]
    public bool? AscendingOrder { get; init; }
}

sealed record ListCertificatesByCAResponse
{
    public IReadOnlyList<CertificateSummary>? Certificates { get; init; }
    public string? NextMarker { get; init; }
}
