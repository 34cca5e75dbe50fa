using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Certificates;

/// <summary>The account's certificates in order of creation, those on their way to it by a pending transfer included.</summary>
[Operation<Iot>("GET /certificates")]
sealed class ListCertificates(Listing listing) : Operation<ListCertificatesRequest, ListCertificatesResponse>
{
    protected override Permission Needs(ListCertificatesRequest request, Caller caller) => new("iot:ListCertificates");

    protected override async ValueTask<ListCertificatesResponse> Run(ListCertificatesRequest request, Caller caller, CancellationToken cancel)
    {
        var scan = new Scan { Index = "created", Descending = request.AscendingOrder is not true };
        var page = await listing.Read(Certificate.Table, caller, $"ListCertificates {scan.Descending}", scan, request.Marker, request.PageSize, cancel);
        return new() { Certificates = [.. page.Items.Select(c => CertificateSummary.Of(c, caller))], NextMarker = page.Next };
    }
}

sealed record ListCertificatesRequest
{
    [Query, Range(1, 250)]
    public int? PageSize { get; init; }
    [Query, Length(0, 1024), Pattern(@"[A-Za-z0-9+/]+={0,2}")]
    public string? Marker { get; init; }
    [Query("isAscendingOrder")]
    public bool? AscendingOrder { get; init; }
}

sealed record ListCertificatesResponse
{
    public IReadOnlyList<CertificateSummary>? Certificates { get; init; }
    public string? NextMarker { get; init; }
}
