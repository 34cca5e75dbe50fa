using Althing.Api;
using Althing.Identity;
using Althing.Storage;

namespace Althing.Core.Certificates;

/// <summary>The certificates offered to other accounts and not yet accepted.</summary>
[Operation<Iot>("GET /certificates-out-going")]
sealed class ListOutgoingCertificates(Listing listing) : Operation<ListOutgoingCertificatesRequest, ListOutgoingCertificatesResponse>
{
    protected override Permission Needs(ListOutgoingCertificatesRequest request, Caller caller) => new("iot:ListOutgoingCertificates");

    protected override async ValueTask<ListOutgoingCertificatesResponse> Run(
        ListOutgoingCertificatesRequest request, Caller caller, CancellationToken cancel)
    {
        var scan = new Scan { Index = "outgoing", Descending = request.AscendingOrder is not true };
        var page = await listing.Read(Certificate.Table, caller, $"ListOutgoingCertificates {scan.Descending}", scan, request.Marker, request.PageSize, cancel);
        return new()
        {
            OutgoingCertificates =
            [
                .. from certificate in page.Items
                   select new OutgoingCertificate
                   {
                       CertificateArn = CertificateStore.Arn(certificate.Id, caller),
                       CertificateId = certificate.Id,
                       TransferredTo = certificate.Transfer?.TransferredTo.Value,
                       TransferDate = certificate.Transfer?.TransferDate,
                       TransferMessage = certificate.Transfer?.Message,
                       CreationDate = certificate.CreatedAt,
                   },
            ],
            NextMarker = page.Next,
        };
    }
}

sealed record ListOutgoingCertificatesRequest
{
    [Query, Range(1, 250)]
    public int? PageSize { get; init; }
    [Query, Length(0, 1024), Pattern(@"[A-Za-z0-9+/]+={0,2}")]
    public string? Marker { get; init; }
    [Query("isAscendingOrder")]
    public bool? AscendingOrder { get; init; }
}

sealed record ListOutgoingCertificatesResponse
{
    public IReadOnlyList<OutgoingCertificate>? OutgoingCertificates { get; init; }
    public string? NextMarker { get; init; }
}

sealed record OutgoingCertificate
{
    public string? CertificateArn { get; init; }
    public string? CertificateId { get; init; }
    public string? TransferredTo { get; init; }
    public DateTimeOffset? TransferDate { get; init; }
    public string? TransferMessage { get; init; }
    public DateTimeOffset? CreationDate { get; init; }
}
