using Althing.Api;
using Althing.Core.Certificates;
using Althing.Identity;

namespace Althing.Core.CaCertificates;

[Operation<Iot>("GET /cacertificate/{caCertificateId}")]
sealed class DescribeCACertificate(CaStore authorities) : Operation<DescribeCACertificateRequest, DescribeCACertificateResponse>
{
    protected override Permission Needs(DescribeCACertificateRequest request, Caller caller) =>
        new("iot:DescribeCACertificate", CaStore.Arn(request.CertificateId.ToLowerInvariant(), caller));

    protected override async ValueTask<DescribeCACertificateResponse> Run(DescribeCACertificateRequest request, Caller caller, CancellationToken cancel)
    {
        var ca = (await authorities.Require(caller.Account, request.CertificateId, cancel)).Value;
        return new()
        {
            CertificateDescription = new()
            {
                CertificateArn = CaStore.Arn(ca.Id, caller),
                CertificateId = ca.Id,
                Status = CACertificate.StatusOf(ca),
                CertificatePem = ca.Pem,
                OwnedBy = ca.Account.Value,
                CreationDate = ca.CreatedAt,
                AutoRegistrationStatus = ca.AutoRegistration ? "ENABLE" : "DISABLE",
                LastModifiedDate = ca.LastModifiedAt,
                CustomerVersion = ca.CustomerVersion,
                GenerationId = ca.GenerationId,
                Validity = new() { NotBefore = ca.NotBefore, NotAfter = ca.NotAfter },
                CertificateMode = CertificateStore.Mode(ca.SniOnly),
            },
            RegistrationConfig = ca.RegistrationConfig,
        };
    }
}

sealed record DescribeCACertificateRequest
{
    [Label("caCertificateId"), Length(64, 64), Pattern(Names.CertificateId)]
    public required string CertificateId { get; init; }
}

sealed record DescribeCACertificateResponse
{
    public CACertificateDescription? CertificateDescription { get; init; }
    public RegistrationConfig? RegistrationConfig { get; init; }
}

sealed record CACertificateDescription
{
    public string? CertificateArn { get; init; }
    public string? CertificateId { get; init; }
    public string? Status { get; init; }
    public string? CertificatePem { get; init; }
    public string? OwnedBy { get; init; }
    public DateTimeOffset? CreationDate { get; init; }
    public string? AutoRegistrationStatus { get; init; }
    public DateTimeOffset? LastModifiedDate { get; init; }
    public int? CustomerVersion { get; init; }
    public string? GenerationId { get; init; }
    public CertificateValidity? Validity { get; init; }
    public string? CertificateMode { get; init; }
}
