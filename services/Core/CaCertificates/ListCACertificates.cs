using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.CaCertificates;

[Operation<Iot>("GET /cacertificates")]
sealed class ListCACertificates(Listing listing) : Operation<ListCACertificatesRequest, ListCACertificatesResponse>
{
    protected override Permission Needs(ListCACertificatesRequest request, Caller caller) => new("iot:ListCACertificates");

    protected override async ValueTask<ListCACertificatesResponse> Run(ListCACertificatesRequest request, Caller caller, CancellationToken cancel)
    {
        var scan = request.TemplateName is { } template
            ? new Scan { Index = "template", Prefix = Key.Prefix(template) }
            : new Scan { Index = "created" };
        scan = scan with { Descending = request.AscendingOrder is not true };
        var name = $"ListCACertificates {request.TemplateName} {scan.Descending}";
        var page = await listing.Read(CaCertificate.Table, caller, name, scan, request.Marker, request.PageSize, cancel);
        return new() { Certificates = [.. page.Items.Select(ca => CACertificate.Of(ca, caller))], NextMarker = page.Next };
    }
}

sealed record ListCACertificatesRequest
{
    [Query, Range(1, 250)]
    public int? PageSize { get; init; }
    [Query, Length(0, 1024), Pattern(@"[A-Za-z0-9+/]+={0,2}")]
    public string? Marker { get; init; }
    [Query("isAscendingOrder")]
    public bool? AscendingOrder { get; init; }
    [Query, Length(1, 36), Pattern("^[0-9A-Za-z_-]+$")]
    public string? TemplateName { get; init; }
}

sealed record ListCACertificatesResponse
{
    public IReadOnlyList<CACertificate>? Certificates { get; init; }
    public string? NextMarker { get; init; }
}

/// <summary>How the listing shows a CA, named as in the model; <see cref="CaCertificate"/> is the stored record.</summary>
sealed record CACertificate
{
    public string? CertificateArn { get; init; }
    public string? CertificateId { get; init; }
    public string? Status { get; init; }
    public DateTimeOffset? CreationDate { get; init; }

    public static string StatusOf(CaCertificate ca) => ca.Active ? "ACTIVE" : "INACTIVE";

    public static CACertificate Of(CaCertificate ca, Caller caller) => new()
    {
        CertificateArn = CaStore.Arn(ca.Id, caller),
        CertificateId = ca.Id,
        Status = StatusOf(ca),
        CreationDate = ca.CreatedAt,
    };
}
