using Althing.Api;
using Althing.Identity;

namespace Althing.Core.Certificates;

[Operation<Iot>("GET /certificates/{certificateId}")]
sealed class DescribeCertificate(CertificateStore certificates) : Operation<DescribeCertificateRequest, DescribeCertificateResponse>
{
    protected override Permission Needs(DescribeCertificateRequest request, Caller caller) =>
        new("iot:DescribeCertificate", CertificateStore.Arn(request.CertificateId.ToLowerInvariant(), caller));

    protected override async ValueTask<DescribeCertificateResponse> Run(DescribeCertificateRequest request, Caller caller, CancellationToken cancel)
    {
        var certificate = (await certificates.Require(caller.Account, request.CertificateId, cancel)).Value;
        return new()
        {
            CertificateDescription = new()
            {
                CertificateArn = CertificateStore.Arn(certificate.Id, caller),
                CertificateId = certificate.Id,
                CaCertificateId = certificate.CaCertificateId,
                Status = certificate.Status.ToString(),
                CertificatePem = certificate.Pem,
                OwnedBy = (certificate.PendingFrom ?? certificate.Account).Value,
                PreviousOwnedBy = certificate.PreviousOwner?.Value,
                CreationDate = certificate.CreatedAt,
                LastModifiedDate = certificate.LastModifiedAt,
                CustomerVersion = certificate.CustomerVersion,
                TransferData = certificate.Transfer is { } transfer ? TransferData.Of(transfer) : null,
                GenerationId = certificate.GenerationId,
                Validity = new() { NotBefore = certificate.NotBefore, NotAfter = certificate.NotAfter },
                CertificateMode = CertificateStore.Mode(certificate.SniOnly),
            },
        };
    }
}

sealed record DescribeCertificateRequest
{
    [Label, Length(64, 64), Pattern(Names.CertificateId)]
    public required string CertificateId { get; init; }
}

sealed record DescribeCertificateResponse
{
    public CertificateDescription? CertificateDescription { get; init; }
}

sealed record CertificateDescription
{
    public string? CertificateArn { get; init; }
    public string? CertificateId { get; init; }
    public string? CaCertificateId { get; init; }
    public string? Status { get; init; }
    public string? CertificatePem { get; init; }
    public string? OwnedBy { get; init; }
    public string? PreviousOwnedBy { get; init; }
    public DateTimeOffset? CreationDate { get; init; }
    public DateTimeOffset? LastModifiedDate { get; init; }
    public int? CustomerVersion { get; init; }
    public TransferData? TransferData { get; init; }
    public string? GenerationId { get; init; }
    public CertificateValidity? Validity { get; init; }
    public string? CertificateMode { get; init; }
}

sealed record TransferData
{
    public string? TransferMessage { get; init; }
    public string? RejectReason { get; init; }
    public DateTimeOffset? TransferDate { get; init; }
    public DateTimeOffset? AcceptDate { get; init; }
    public DateTimeOffset? RejectDate { get; init; }

    public static TransferData Of(CertificateTransfer transfer) => new()
    {
        TransferMessage = transfer.Message,
        RejectReason = transfer.RejectReason,
        TransferDate = transfer.TransferDate,
        AcceptDate = transfer.AcceptDate,
        RejectDate = transfer.RejectDate,
    };
}
