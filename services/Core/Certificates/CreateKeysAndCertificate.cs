using System.Text.Json.Serialization;
using Althing.Api;
using Althing.Identity;
using Althing.Identity.Pki;
using Althing.Storage;

namespace Althing.Core.Certificates;

/// <summary>Makes an RSA key pair and a certificate for it. The private key is in this answer and nowhere else.</summary>
[Operation<Iot>("POST /keys-and-certificate")]
sealed class CreateKeysAndCertificate(CertificateStore certificates, PlatformPki pki)
    : Operation<CreateKeysAndCertificateRequest, CreateKeysAndCertificateResponse>
{
    protected override Permission Needs(CreateKeysAndCertificateRequest request, Caller caller) => new("iot:CreateKeysAndCertificate");

    protected override async ValueTask<CreateKeysAndCertificateResponse> Run(
        CreateKeysAndCertificateRequest request, Caller caller, CancellationToken cancel)
    {
        var (issued, privateKey, publicKey) = pki.IssueDevice();
        using var disposed = issued;
        var certificate = certificates.Describe(
            issued, caller, request.SetAsActive is true ? CertificateStatus.ACTIVE : CertificateStatus.INACTIVE);
        await certificates.Register(new Batch(), certificate, caller, cancel);
        return new()
        {
            CertificateArn = CertificateStore.Arn(certificate.Id, caller),
            CertificateId = certificate.Id,
            CertificatePem = certificate.Pem,
            KeyPair = new()
            {
                PublicKey = publicKey,
                PrivateKey = privateKey,
            },
        };
    }
}

sealed record CreateKeysAndCertificateRequest
{
    [Query]
    public bool? SetAsActive { get; init; }
}

sealed record CreateKeysAndCertificateResponse
{
    public string? CertificateArn { get; init; }
    public string? CertificateId { get; init; }
    public string? CertificatePem { get; init; }
    public KeyPair? KeyPair { get; init; }
}

sealed record KeyPair
{
    [JsonPropertyName("PublicKey")]
    public string? PublicKey { get; init; }
    [JsonPropertyName("PrivateKey")]
    public string? PrivateKey { get; init; }

    // Records print their members; a private key must not reach a log that way.
    public override string ToString() => "KeyPair { *** }";
}
