using Althing.Api;
using Althing.Core.Certificates;
using Althing.Core.Provisioning.Templates;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Storage;

namespace Althing.Core.Provisioning.Fleet;

/// <summary>
/// Makes a certificate, with its key, that lives five minutes and can do nothing but provision a device with this template: for an
/// installer's app, so that devices need no shared claim certificate ("Provisioning by trusted user").
/// </summary>
[Operation<Iot>("POST /provisioning-templates/{templateName}/provisioning-claim")]
sealed class CreateProvisioningClaim(IStore store, CertificateStore certificates, PlatformPki pki)
    : Operation<CreateProvisioningClaimRequest, CreateProvisioningClaimResponse>
{
    protected override Permission Needs(CreateProvisioningClaimRequest request, Caller caller) =>
        new("iot:CreateProvisioningClaim", ProvisioningTemplate.Arn(request.TemplateName, caller));

    protected override async ValueTask<CreateProvisioningClaimResponse> Run(CreateProvisioningClaimRequest request, Caller caller, CancellationToken cancel)
    {
        var template = (await ProvisioningTemplate.Require(store, caller.Account, request.TemplateName, cancel)).Value;
        if (template is not { Enabled: true, Type: ProvisioningTemplate.Fleet })
            throw Refuse.InvalidRequest($"The template '{template.Name}' is not enabled, or not for fleet provisioning.");
        var (issued, privateKey, publicKey) = pki.IssueDevice(ProvisioningClaim.Lifetime);
        using var disposed = issued;
        var certificate = certificates.Describe(issued, caller, CertificateStatus.ACTIVE) with { ClaimFor = template.Name };
        var claim = new ProvisioningClaim { Account = caller.Account, CertificateId = certificate.Id, ExpiresAt = certificate.NotAfter };
        await certificates.Register(new Batch().Add(ProvisioningClaim.Table, claim), certificate, caller, cancel);
        return new()
        {
            CertificateId = certificate.Id,
            CertificatePem = certificate.Pem,
            KeyPair = new() { PublicKey = publicKey, PrivateKey = privateKey },
            Expiration = certificate.NotAfter,
        };
    }
}

sealed record CreateProvisioningClaimRequest
{
    [Label, Length(1, 36), Pattern(ProvisioningTemplate.NamePattern)]
    public required string TemplateName { get; init; }
}

sealed record CreateProvisioningClaimResponse
{
    public string? CertificateId { get; init; }
    public string? CertificatePem { get; init; }
    public KeyPair? KeyPair { get; init; }
    public DateTimeOffset? Expiration { get; init; }
}
